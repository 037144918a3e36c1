"""PyTorch's gradients of small models, as golden files.

    python gradients.py OUT

For each model OUT gets NAME.onnx, the model as PyTorch exports it, its loss being its only output and its parameters
initializers by their names; and NAME.safetensors: `input:NAME` for each input, `loss`, and `gradient:NAME` for each
parameter and each input that is a float. Needs torch==2.15.0, onnx==1.23.2 and numpy; runs on one thread, from a seed.
"""

import json
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F


def cross_entropy(logits, labels):
    """Of soft labels, written out."""
    return -(F.log_softmax(logits, dim=-1) * labels).sum() / logits.shape[0]


class MnistCnn(nn.Module):
    """Zeros after a ReLU make ties in the pools."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 5)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 8, 3)
        self.out = nn.Linear(8 * 2 * 2, 5)

    def forward(self, x, labels):
        x = F.max_pool2d(F.relu(self.norm(self.first(x))), 2)
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        return cross_entropy(self.out(x.flatten(1)), labels)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(6)
        self.first = nn.Conv2d(6, 8, 3, stride=2, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(8)
        self.shortcut = nn.Conv2d(6, 8, 1, stride=2, bias=False)
        self.shortcut_norm = nn.BatchNorm2d(8)
        self.out = nn.Linear(8, 4)

    def forward(self, x, labels):
        x = F.max_pool2d(F.relu(self.stem_norm(self.stem(x))), 3, stride=2, padding=1)
        y = F.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y)) + self.shortcut_norm(self.shortcut(x))
        return cross_entropy(self.out(F.relu(y).mean((2, 3))), labels)


class Mobile(nn.Module):
    """Depthwise, squeeze and excitation, and the hard functions of mobile networks."""

    def __init__(self):
        super().__init__()
        self.widen = nn.Conv2d(4, 12, 1)
        self.depthwise = nn.Conv2d(12, 12, 3, padding=1, groups=12)
        self.down = nn.Conv2d(12, 12, 5, stride=2, padding=2, groups=12)
        self.squeeze = nn.Conv2d(12, 3, 1)
        self.excite = nn.Conv2d(3, 12, 1)
        self.narrow = nn.Conv2d(12, 4, 1)

    def forward(self, x, target):
        y = F.relu6(2 * self.widen(x))
        y = F.hardswish(self.depthwise(y))
        gate = F.hardsigmoid(self.excite(F.relu(self.squeeze(F.adaptive_avg_pool2d(y, 1)))))
        x = x + self.narrow(y * gate)
        return F.mse_loss(self.down(F.relu6(self.widen(x))), target)


class ConvNext(nn.Module):
    def __init__(self):
        super().__init__()
        self.depthwise = nn.Conv2d(6, 6, 7, padding=3, groups=6)
        self.norm = nn.LayerNorm(6)
        self.up = nn.Linear(6, 12)
        self.down = nn.Linear(12, 6)
        self.scale = nn.Parameter(torch.rand(6))

    def forward(self, x, target):
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.scale * self.down(F.gelu(self.up(y)))
        return F.mse_loss(x + y.permute(0, 3, 1, 2), target)


class Unet(nn.Module):
    """Down and up again: transposed and dilated convolutions, interpolation, concatenation, group norm."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(2, 4)
        self.wide = nn.Conv2d(4, 4, 3, padding=2, dilation=2)
        self.up = nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1)
        self.out = nn.Conv2d(3 + 4, 1, 3, padding=1, padding_mode="reflect")

    def forward(self, x, target):
        low = F.leaky_relu(self.norm(self.down(x)), 0.1)
        low = low + F.elu(self.wide(low))
        wide = F.interpolate(low, size=(8, 8), mode="bilinear", align_corners=False)
        p = torch.sigmoid(self.out(torch.cat([self.up(low), wide], 1)))
        return -(target * torch.log(p) + (1 - target) * torch.log(1 - p)).mean()


class Encoder(nn.Module):
    """A transformer's layer, attention written out."""

    def __init__(self, width=8, heads=2):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)

    def forward(self, x, target):
        batch, length, width = x.shape
        parts = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        q, k, v = (p.view(batch, length, self.heads, -1).transpose(1, 2) for p in parts)
        weights = torch.softmax(q @ k.transpose(-1, -2) / (width // self.heads) ** 0.5, dim=-1)
        x = x + self.project((weights @ v).transpose(1, 2).reshape(batch, length, width))
        x = x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))
        return 1 - F.cosine_similarity(x.mean(1), target, dim=-1).mean()


class Language(nn.Module):
    """Embeddings that are tied to the output, and a mask."""

    def __init__(self, words=11, width=6):
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.positions = nn.Parameter(torch.randn(5, width))
        self.query = nn.Linear(width, width, bias=False)

    def forward(self, tokens, labels):
        x = self.embed(tokens) + self.positions
        scores = self.query(x) @ x.transpose(-1, -2)
        mask = torch.full((5, 5), -1e4).triu(1)
        x = torch.softmax(scores + mask, dim=-1) @ x
        return cross_entropy(x @ self.embed.weight.t(), labels)


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.cell = kind(3, 4, **options)
        self.out = nn.Linear(4 * (2 if options.get("bidirectional") else 1), 3)

    def forward(self, x, labels):
        y, _ = self.cell(x)
        return cross_entropy(self.out(y).mean(0), labels)


class Functions(nn.Module):
    """One activation after another."""

    def __init__(self):
        super().__init__()
        self.slope = nn.PReLU(5)
        self.layers = nn.ModuleList([nn.Linear(5, 5) for _ in range(8)])

    def forward(self, x, target):
        functions = [F.selu, F.softplus, F.softsign, torch.tanh, F.silu, F.mish, self.slope, torch.exp]
        for layer, function in zip(self.layers, functions):
            x = function(layer(x))
        return torch.log1p((x - target).abs()).mean() + torch.logsumexp(x, 1).mean() + x.norm(dim=1).mean()


class Windows(nn.Module):
    """Groups, one spatial axis, averages with and without padding, slices with steps, a maximum over an axis."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(4, 8, 5, stride=2, padding=2, groups=2)
        self.second = nn.Conv1d(8, 4, 3, padding=1)

    def forward(self, x, target):
        y = F.avg_pool1d(torch.cos(self.first(x)), 3, stride=1, padding=1)
        y = F.avg_pool1d(self.second(y), 3, stride=2, padding=1, count_include_pad=False)
        y = torch.cat([y[:, :, ::2], y[:, 1:3].repeat(1, 2, 1)[:, :, 1::2]], 2)
        return (y.amax(2) - target).pow(2).sum() + torch.clamp(y, -0.2, 0.3).mean()


class FakeQuantized(nn.Module):
    """Weights in steps per channel, activations per tensor, gradients straight through."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1)
        self.out = nn.Linear(3, 4)
        self.register_buffer("steps", torch.tensor([0.004, 0.002, 0.003]))
        self.register_buffer("zeros", torch.zeros(3, dtype=torch.int32))

    def forward(self, x, labels):
        x = torch.fake_quantize_per_tensor_affine(x, 0.02, 128, 0, 255)
        w = torch.fake_quantize_per_channel_affine(self.conv.weight, self.steps, self.zeros, 0, -128, 127)
        y = F.relu(F.conv2d(x, w, self.conv.bias, padding=1))
        y = torch.fake_quantize_per_tensor_affine(y, 0.01, 0, 0, 255)
        return cross_entropy(self.out(y.mean((2, 3))), labels)


def labels(*shape):
    return torch.softmax(2 * torch.randn(*shape), dim=-1)


models = {
    "mnist-cnn": lambda: (MnistCnn(), [torch.relu(torch.randn(4, 1, 16, 16)), labels(4, 5)]),
    "residual": lambda: (Residual(), [torch.randn(3, 3, 12, 12), labels(3, 4)]),
    "mobile": lambda: (Mobile(), [torch.randn(2, 4, 8, 8), torch.randn(2, 12, 4, 4)]),
    "convnext": lambda: (ConvNext(), [torch.randn(2, 6, 7, 7), torch.randn(2, 6, 7, 7)]),
    "unet": lambda: (Unet(), [torch.randn(2, 2, 8, 8), torch.rand(2, 1, 8, 8)]),
    "encoder": lambda: (Encoder(), [torch.randn(2, 5, 8), torch.randn(2, 8)]),
    "language": lambda: (Language(), [torch.randint(0, 11, (2, 5)), labels(2, 5, 11)]),
    "lstm": lambda: (Recurrent(nn.LSTM, bidirectional=True), [torch.randn(5, 2, 3), labels(2, 3)]),
    "gru": lambda: (Recurrent(nn.GRU, num_layers=2), [torch.randn(4, 2, 3), labels(2, 3)]),
    "functions": lambda: (Functions(), [torch.randn(6, 5), torch.randn(6, 5)]),
    "windows": lambda: (Windows(), [torch.randn(2, 4, 16), torch.randn(2, 4)]),
    "fake-quantized": lambda: (FakeQuantized(), [2 * torch.randn(2, 2, 5, 5), labels(2, 4)]),
}


def write_safetensors(path, arrays):
    header, data = {}, b""
    for name, array in arrays.items():
        # Tokens too: they are small whole numbers.
        array = np.asarray(array, dtype=np.float32, order="C")
        end = len(data) + array.nbytes
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), end]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def make(name, out):
    torch.manual_seed(8)
    model, inputs = models[name]()
    model.train()
    inputs = [x.requires_grad_(x.is_floating_point()) for x in inputs]
    names = [f"x{index}" for index in range(len(inputs))]
    loss = model(*inputs)
    loss.backward()
    arrays = {f"input:{n}": x.detach().numpy() for n, x in zip(names, inputs)}
    arrays["loss"] = loss.detach().reshape(()).numpy()
    for n, x in [*model.named_parameters(), *zip(names, inputs)]:
        if x.grad is not None:
            arrays[f"gradient:{n}"] = x.grad.numpy()
    file = out / f"{name}.onnx"
    torch.onnx.export(
        model,
        tuple(x.detach() for x in inputs),
        str(file),
        dynamo=False,
        training=torch.onnx.TrainingMode.TRAINING,
        do_constant_folding=False,
        opset_version=17,
        input_names=names,
        output_names=["loss"],
    )
    # Where in a checkout it was made says nothing.
    exported = onnx.load(str(file))
    for node in exported.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.save(exported, str(file))
    write_safetensors(out / f"{name}.safetensors", arrays)
    print(f"{name}: {loss.item():.5f}, {sum(k.startswith('gradient:') for k in arrays)} gradients")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in models:
        make(name, folder)
