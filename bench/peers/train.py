"""PyTorch's training steps, beside bench/proofs/training/support/train-blocks.mjs.

    python train.py NAME FOLDER --batch N --threads N [--compile]

FOLDER holds weights.safetensors and samples.safetensors, of one network of compared-networks.mjs: what both begin with, and
learn from. For each line that is read, the order of the samples as JSON, trains on all of them in batches once, and prints a
line of JSON: milliseconds a step, and the mean loss. Needs torch==2.15.0 and numpy.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

RATE = 0.001
WEIGHT_DECAY = 0.01
WORDS = 1000


class SmallCnn(nn.Module):
    def __init__(self, first, second):
        super().__init__()
        self.conv1 = nn.Conv2d(1, first, 5, padding=2, bias=False)
        self.norm1 = nn.BatchNorm2d(first)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1)
        self.out = nn.Linear(second * 49, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.out(x.flatten(1))


class Block(nn.Module):
    def __init__(self, before, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        if stride > 1:
            self.down = nn.Conv2d(before, width, 1, stride=stride, bias=False)
            self.down_norm = nn.BatchNorm2d(width)

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        beside = self.down_norm(self.down(x)) if hasattr(self, "down") else x
        return F.relu(y + beside)


class ResNet8(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(16)
        self.blocks = nn.ModuleList([Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2)])
        self.out = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.stem_norm(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        return self.out(x.mean((2, 3)))


class Layer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        parts = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        q, k, v = (p.view(batch, length, self.heads, -1).transpose(1, 2) for p in parts)
        mixed = F.scaled_dot_product_attention(q, k, v)
        x = x + self.project(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Encoder(nn.Module):
    def __init__(self, width=128, heads=4, length=64):
        super().__init__()
        self.embed = nn.Embedding(WORDS, width)
        self.register_buffer("positions", torch.zeros(length, width))
        self.layers = nn.ModuleList([Layer(width, heads) for _ in range(2)])
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, 10)

    def forward(self, tokens):
        x = self.embed(tokens) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.out(self.norm(x.mean(1)))


NETWORKS = {
    "mnist-cnn": lambda: SmallCnn(16, 32),
    "mnist-cnn-wide": lambda: SmallCnn(64, 128),
    "resnet-8": ResNet8,
    "encoder": Encoder,
}


def read_safetensors(path):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    arrays = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = (8 + length + at for at in entry["data_offsets"])
        arrays[name] = np.frombuffer(data[start:end], dtype="<f4").reshape(entry["shape"])
    return arrays


def begin(name, folder):
    model = NETWORKS[name]()
    arrays = {}
    for key, array in read_safetensors(folder / "weights.safetensors").items():
        turned = key.endswith(".T")
        arrays[key.removesuffix(".T")] = torch.tensor(array.T.copy() if turned else array.copy())
    missing, unexpected = model.load_state_dict(arrays, strict=False)
    wrong = [key for key in missing if not key.endswith("num_batches_tracked")] + unexpected
    if wrong:
        raise SystemExit(f"the networks differ: {wrong}")
    return model.train()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=NETWORKS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--fused", action="store_true", help="AdamW as one kernel")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    model = begin(options.name, options.folder)
    samples = read_safetensors(options.folder / "samples.safetensors")
    inputs, labels = torch.tensor(samples["input"]), torch.tensor(samples["labels"]).long()
    if options.name == "encoder":
        inputs = inputs.long()
    optimizer = torch.optim.AdamW(
        decayed(model), lr=RATE, weight_decay=WEIGHT_DECAY, fused=options.fused or None
    )
    forward = torch.compile(model) if options.compile else model

    def block(order):
        total = 0.0
        for start in range(0, len(order), options.batch):
            rows = order[start : start + options.batch]
            loss = F.cross_entropy(forward(inputs[rows]), labels[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / (len(order) / options.batch)

    print(json.dumps({"ready": torch.__version__}), flush=True)
    for line in sys.stdin:
        order = torch.tensor(json.loads(line))
        started = time.perf_counter()
        loss = block(order)
        seconds = time.perf_counter() - started
        ms = 1000 * seconds / (len(order) / options.batch)
        print(json.dumps({"ms": ms, "loss": loss}), flush=True)


def decayed(model):
    """Weights of layers decay, and neither biases nor norms do."""
    decays = lambda key: key.endswith("weight") and "norm" not in key
    named = list(model.named_parameters())
    return [
        {"params": [p for key, p in named if decays(key)]},
        {"params": [p for key, p in named if not decays(key)], "weight_decay": 0.0},
    ]


if __name__ == "__main__":
    main()
