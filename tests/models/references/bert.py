"""Writes bert.json: outputs of transformers' BERT and RoBERTa with the weights of values.py, and of MiniLM.

    python tests/models/references/bert.py MINILM_FOLDER     # needs torch, transformers and safetensors
"""

import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import load_file

import values

SMALL = dict(vocab_size=97, hidden_size=24, num_hidden_layers=2, num_attention_heads=4, intermediate_size=40,
             max_position_embeddings=20, attn_implementation="eager")
RUNS = [("bert", "none", transformers.BertModel), ("bert", "classification", transformers.BertForSequenceClassification),
        ("bert", "masked-language", transformers.BertForMaskedLM),
        ("roberta", "classification", transformers.RobertaForSequenceClassification),
        ("roberta", "masked-language", transformers.RobertaForMaskedLM)]


def tokens(count, length, vocabulary, padding):
    """Texts of different lengths; the last tokens of all but the first are padding."""
    ids = ((values.numbers("tokens", count * length) + 1) / 2 * (vocabulary - 3)).astype(int).reshape(count, length) + 3
    for i in range(count):
        ids[i, length - 3 * i:] = padding if i else ids[i, length:]
    return torch.from_numpy(ids)


def short(tensor):
    return [float(f"{x:.7g}") for x in tensor.flatten().tolist()]


record = {"transformers": transformers.__version__, "runs": []}
for family, head, kind in RUNS:
    roberta = family == "roberta"
    config = (transformers.RobertaConfig if roberta else transformers.BertConfig)(
        **SMALL, type_vocab_size=1 if roberta else 2, pad_token_id=1 if roberta else 0, num_labels=3,
        layer_norm_eps=1e-5 if roberta else 1e-12)
    model = kind(config).eval()
    values.fill(model)
    if head == "masked-language":  # tied tensors have the values of their first name
        model.tie_weights()
        output = model.get_output_embeddings()
        output.weight.data.copy_(torch.from_numpy(values.tensor(
            f"{family}.embeddings.word_embeddings.weight", tuple(output.weight.shape))))
        output.bias.data.copy_(torch.from_numpy(values.tensor("decoder.bias", tuple(output.bias.shape))))
    ids = tokens(3, 12, SMALL["vocab_size"], config.pad_token_id)
    types = torch.zeros_like(ids)
    types[:, 6:] = 0 if roberta else 1
    with torch.no_grad():
        out = model(input_ids=ids, attention_mask=(ids != config.pad_token_id).long(), token_type_ids=types)
    result = out.pooler_output if head == "none" else out.logits
    record["runs"].append({"family": family, "head": head, "tokens": ids.tolist(), "types": types.tolist(),
                           "output": short(result[:, :2] if head == "masked-language" else result)})

folder = pathlib.Path(sys.argv[1])
config = transformers.BertConfig.from_json_file(folder / "config.json")
config._attn_implementation = "eager"
model = transformers.BertModel(config).eval()
weights = load_file(folder / "all-minilm-l6-v2-fp16.safetensors")
model.load_state_dict({name: value.float() for name, value in weights.items()}, strict=False)
ids = tokens(3, 12, config.vocab_size, 0)
with torch.no_grad():
    hidden = model(input_ids=ids, attention_mask=(ids != 0).long()).last_hidden_state
record["minilm"] = {"tokens": ids.tolist(), "hidden": short(hidden[:, :, ::16])}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(record) + "\n")
