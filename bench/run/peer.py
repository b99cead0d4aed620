"""One engine on one network: load it, run texts of given lengths, print figures as JSON. compare.py starts it.

    peer.py ENGINE MODEL CONFIG_FOLDER --threads N --tokens 16,64,128 --repeats N [--hidden OUT.npy] [--embed TEXTS OUT.npy]

ENGINE: torch, torch-int8 (dynamic quantization of linear layers), ort. MODEL: a safetensors file for torch, an ONNX file
for ort.
"""

import argparse
import json
import resource
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")


def tokens_of(count):
    """The tokens that encoder_bench runs, too."""
    return [[1000 + 37 * i % 2000 for i in range(count)]]


def load_torch(model, folder, dynamic):
    import torch
    import transformers
    from safetensors.torch import load_file

    config = transformers.AutoConfig.from_pretrained(folder)
    network = transformers.AutoModel.from_config(config, add_pooling_layer=False).eval()
    weights = {name.removeprefix("roberta.").removeprefix("bert."): value.float() for name, value in load_file(model).items()}
    missing = network.load_state_dict(weights, strict=False).missing_keys
    if [name for name in missing if "position_ids" not in name]:
        sys.exit(f"missing: {missing}")
    if dynamic:
        network = torch.ao.quantization.quantize_dynamic(network, {torch.nn.Linear}, dtype=torch.qint8)

    def run(tokens):
        with torch.inference_mode():
            return network(input_ids=torch.tensor(tokens)).last_hidden_state.numpy()

    return run


def load_ort(model, threads):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda tokens: session.run(None, {"input_ids": np.asarray(tokens, dtype=np.int64)})[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=["torch", "torch-int8", "ort"])
    parser.add_argument("model")
    parser.add_argument("folder")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokens", type=lambda text: [int(word) for word in text.split(",")], default=[16, 128])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--hidden", help="writes the hidden states of each length, one after the other")
    parser.add_argument("--embed", nargs=2, help="JSON of lists of tokens; writes the means of their hidden states")
    options = parser.parse_args()
    clock = time.process_time if options.threads == 1 else time.perf_counter
    if options.engine != "ort":
        import torch

        torch.set_num_threads(options.threads)
    begin = time.process_time()
    if options.engine == "ort":
        run = load_ort(options.model, options.threads)
    else:
        run = load_torch(options.model, options.folder, options.engine == "torch-int8")
    figures = {"load": time.process_time() - begin}
    hidden = []
    for count in options.tokens:
        tokens = tokens_of(count)
        hidden.append(run(tokens)[0])
        seconds = []
        for _ in range(options.repeats):
            begin = clock()
            run(tokens)
            seconds.append(clock() - begin)
        figures[str(count)] = min(seconds)
    if options.hidden:
        np.save(options.hidden, np.concatenate(hidden))
    if options.embed:
        texts = json.load(open(options.embed[0], encoding="utf-8"))
        np.save(options.embed[1], np.stack([run([text])[0].mean(0) for text in texts]))
    figures["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
