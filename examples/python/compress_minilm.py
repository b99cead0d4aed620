"""A sentence encoder in a fourth of its bytes: compressed to a budget, and loaded by transformers."""

import os

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer

import parsimony_ml.transformers  # noqa: F401  (from_pretrained then reads compact folders)
from parsimony_ml import quant
from parsimony_ml.torch import load_model

folder = os.path.join(os.environ.get("PARSIMONY_DATA", "../shared/data"), "minilm")
made = quant.compress(folder, "minilm-small", budget="12MB", half=True)
floats = load_model(AutoModel.from_config(AutoConfig.from_pretrained(folder)).eval(), folder, strict=False)
small, tokenizer = AutoModel.from_pretrained("minilm-small").eval(), AutoTokenizer.from_pretrained("minilm-small")
pair = tokenizer(["A ship leaves the harbour.", "The boat sails from the port.", "Bread needs salt."], padding=True)
batch = {name: torch.tensor(values) for name, values in pair.items()}


def vectors(model):
    with torch.no_grad():
        words, kept = model(**batch).last_hidden_state, batch["attention_mask"][..., None]
    return torch.nn.functional.normalize((words * kept).sum(1) / kept.sum(1))


print(f"{made.bytes} bytes, cosine {(vectors(floats) * vectors(small)).sum(1).mean():.3f}")
print(*(f"{similarity:.2f}" for similarity in (vectors(small) @ vectors(small).T)[0, 1:]))
