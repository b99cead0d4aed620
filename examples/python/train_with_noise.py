"""A classifier of digits that is trained for codes of one bit a weight, written to a compact file, and read back."""

import torch
from sklearn.datasets import load_digits
from torch import nn

from parsimony_ml import quant
from parsimony_ml.torch import QuantNoise, load_model

torch.manual_seed(0)
pixels, digits = (torch.tensor(part) for part in load_digits(return_X_y=True))
x, new, y, truth = pixels[:1400].float() / 16, pixels[1400:].float() / 16, digits[:1400], digits[1400:]
model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
optimizer = torch.optim.Adam(model.parameters(), 2e-3)
with QuantNoise(model, "pq8", 0.3, refresh_steps=20, optimizer=optimizer):
    for _ in range(300):
        batch = torch.randint(len(x), (64,))
        nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimizer.step()
        optimizer.zero_grad()
made = quant.compress(model, "digits.safetensors", layers={"0|2": "pq8"})
small = load_model(model, made.path)
print(f"{made.bytes} bytes of {made.model_bytes}, accuracy {(small(new).argmax(1) == truth).float().mean():.3f}")
