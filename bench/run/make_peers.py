"""Writes the ONNX files that compare.py runs: make_peers.py MODEL CONFIG_FOLDER OUT

OUT.onnx has floats; OUT-tensor.onnx and OUT-channel.onnx have ONNX Runtime's dynamic quantization of 8 bits with a scale
for each tensor or each output channel.
"""

import sys
import warnings

import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import load_file

warnings.filterwarnings("ignore")


class HiddenStates(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, input_ids):
        return self.network(input_ids=input_ids, attention_mask=torch.ones_like(input_ids)).last_hidden_state


def main():
    model, folder, out = sys.argv[1:]
    network = transformers.AutoModel.from_config(transformers.AutoConfig.from_pretrained(folder), add_pooling_layer=False)
    weights = {name.removeprefix("roberta.").removeprefix("bert."): value.float() for name, value in load_file(model).items()}
    network.load_state_dict(weights, strict=False)
    torch.onnx.export(HiddenStates(network.eval()), (torch.randint(100, 1000, (1, 16)),), f"{out}.onnx",
                      input_names=["input_ids"], output_names=["hidden"], dynamo=False, opset_version=17,
                      dynamic_axes={"input_ids": {0: "texts", 1: "tokens"}})
    for kind, each in (("tensor", False), ("channel", True)):
        quantize_dynamic(f"{out}.onnx", f"{out}-{kind}.onnx", weight_type=QuantType.QInt8, per_channel=each)


if __name__ == "__main__":
    main()
