"""python architectures.py FOLDER

What models are built of today, each small, with weights at random: as PyTorch's two exporters write it, with sizes
fixed and free, and beside each file its inputs and what PyTorch answers. What an exporter cannot write is printed.
"""

import math
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from exporting import write_all

known = []


def architecture(build):
    """Of a function that gives a module, its inputs by name, and which of their axes are free."""
    known.append(build)
    return build


class Attention(nn.Module):
    def __init__(self, width, heads, causal=False):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))

    def split(self, x):
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def attend(self, x, context=None, past=None, mask=None):
        context = x if context is None else context
        q, k, v = (self.split(y) for y in (self.q(x), self.k(context), self.v(context)))
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        causal = self.causal and past is None
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        return self.o(y.transpose(1, 2).flatten(2)), k, v

    def forward(self, x, context=None, mask=None):
        return self.attend(x, context, None, mask)[0]


def feed_forward(width, inner, activation=None):
    return nn.Sequential(nn.Linear(width, inner), activation or nn.GELU(), nn.Linear(inner, width))


def norms(width, count):
    return nn.ModuleList(nn.LayerNorm(width) for _ in range(count))


class Decoder(nn.Module):
    """A language model that is given the keys and values of before."""

    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(100, 64), nn.Embedding(64, 64)
        self.attention = nn.ModuleList(Attention(64, 4) for _ in range(2))
        self.norm = norms(64, 4)
        self.feed = nn.ModuleList(feed_forward(64, 256, nn.GELU("tanh")) for _ in range(2))
        self.head = nn.Linear(64, 100, bias=False)

    def forward(self, ids, k0, v0, k1, v1):
        length, past = ids.shape[1], k0.shape[2]
        x = self.tokens(ids) + self.positions(torch.arange(past, past + length))
        mask = torch.full((length, past + length), float("-inf")).triu(past + 1)
        held = []
        for at, before in enumerate([(k0, v0), (k1, v1)]):
            y, *now = self.attention[at].attend(self.norm[2 * at](x), past=before, mask=mask)
            x = x + y
            x = x + self.feed[at](self.norm[2 * at + 1](x))
            held += now
        return (self.head(x), *held)


@architecture
def decoder_with_past():
    held = {name: torch.randn(1, 4, 5, 16) for name in ["k0", "v0", "k1", "v1"]}
    free = {"ids": {1: "length"}, **{name: {2: "past"} for name in held}}
    return Decoder(), {"ids": torch.randint(0, 100, (1, 3)), **held}, free


class SpeechEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(40, 64, 3, padding=1)
        self.second = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.positions = nn.Parameter(torch.randn(50, 64))
        self.attention, self.norm, self.feed = Attention(64, 4), norms(64, 3), feed_forward(64, 128)

    def forward(self, mel):
        x = F.gelu(self.second(F.gelu(self.first(mel)))).transpose(1, 2)
        x = x + self.positions[: x.shape[1]]
        x = x + self.attention(self.norm[0](x))
        return self.norm[2](x + self.feed(self.norm[1](x)))


@architecture
def speech_encoder():
    return SpeechEncoder(), {"mel": torch.randn(1, 40, 100)}, {"mel": {0: "batch"}}


class TextDecoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.norm = nn.Embedding(100, 64), norms(64, 4)
        self.own, self.cross = Attention(64, 4, causal=True), Attention(64, 4)
        self.feed = feed_forward(64, 128)

    def forward(self, ids, encoded):
        x = self.tokens(ids)
        x = x + self.own(self.norm[0](x))
        x = x + self.cross(self.norm[1](x), encoded)
        return self.norm[3](x + self.feed(self.norm[2](x))) @ self.tokens.weight.T


@architecture
def text_decoder():
    inputs = {"ids": torch.randint(0, 100, (1, 7)), "encoded": torch.randn(1, 50, 64)}
    return TextDecoder(), inputs, {"ids": {1: "length"}}


class WindowBlock(nn.Module):
    def __init__(self, width, shift):
        super().__init__()
        self.attention, self.norm = Attention(width, 2), norms(width, 2)
        self.feed, self.shift = feed_forward(width, 2 * width), shift
        self.bias = nn.Parameter(torch.randn(2, 16, 16) * 0.1)

    def forward(self, x):
        batch, height, width, channels = x.shape
        y = self.norm[0](x)
        if self.shift:
            y = torch.roll(y, (-self.shift, -self.shift), (1, 2))
        y = y.view(batch, height // 4, 4, width // 4, 4, channels)
        y = y.permute(0, 1, 3, 2, 4, 5).reshape(-1, 16, channels)
        y = self.attention(y, mask=self.bias[None])
        y = y.view(batch, height // 4, width // 4, 4, 4, channels)
        y = y.permute(0, 1, 3, 2, 4, 5).reshape(batch, height, width, channels)
        if self.shift:
            y = torch.roll(y, (self.shift, self.shift), (1, 2))
        x = x + y
        return x + self.feed(self.norm[1](x))


class WindowTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches, self.merge = nn.Conv2d(3, 32, 4, 4), nn.Linear(128, 64, bias=False)
        self.first = nn.Sequential(WindowBlock(32, 0), WindowBlock(32, 2))
        self.second = nn.Sequential(WindowBlock(64, 0), WindowBlock(64, 2))
        self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, 10)

    def forward(self, image):
        x = self.first(self.patches(image).permute(0, 2, 3, 1))
        corners = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        x = self.second(self.merge(torch.cat(corners, -1)))
        return self.head(self.norm(x).mean((1, 2)))


@architecture
def window_transformer():
    return WindowTransformer(), {"image": torch.randn(1, 3, 64, 64)}, {"image": {0: "batch"}}


class DeformableDetector(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, 3, 4, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 32, 3, 2, 1)
        )
        self.offsets, self.weights = nn.Linear(32, 2 * 4 * 2), nn.Linear(32, 2 * 4)
        self.value, self.output = nn.Linear(32, 32), nn.Linear(32, 32)
        self.classes, self.boxes, self.score = nn.Linear(32, 5), nn.Linear(32, 4), nn.Linear(32, 1)

    def forward(self, image):
        features = self.body(image)
        batch, channels, height, width = features.shape
        tokens = features.flatten(2).transpose(1, 2)
        best = torch.topk(self.score(tokens).squeeze(-1), 10, 1)[1]
        queries = torch.gather(tokens, 1, best.unsqueeze(-1).expand(-1, -1, channels))
        near = torch.sigmoid(self.boxes(queries))
        offsets = self.offsets(queries).view(batch, 10, 2, 4, 2)
        weights = F.softmax(self.weights(queries).view(batch, 10, 2, 4), -1)
        value = self.value(tokens).view(batch, height * width, 2, 16)
        value = value.permute(0, 2, 3, 1).reshape(batch * 2, 16, height, width)
        places = near[:, :, None, None, :2] + offsets / torch.tensor([width, height])
        places = (places * 2 - 1).permute(0, 2, 1, 3, 4).reshape(batch * 2, 10, 4, 2)
        seen = F.grid_sample(value, places, align_corners=False)
        seen = seen * weights.permute(0, 2, 1, 3).reshape(batch * 2, 1, 10, 4)
        queries = queries + self.output(seen.sum(-1).view(batch, 32, 10).transpose(1, 2))
        odds = torch.log(near.clamp(1e-5, 1 - 1e-5) / (1 - near).clamp(1e-5))
        return self.classes(queries), torch.sigmoid(self.boxes(queries) + odds)


@architecture
def deformable_detector():
    return DeformableDetector(), {"image": torch.randn(1, 3, 64, 64)}, {}


class MaskDecoder(nn.Module):
    """Masks of what lies at the points that a user pointed to."""

    def __init__(self):
        super().__init__()
        self.waves, self.tokens = nn.Parameter(torch.randn(2, 16)), nn.Parameter(torch.randn(3, 32))
        self.labels, self.norm = nn.Embedding(2, 32), norms(32, 3)
        self.own, self.to_image, self.to_points = (Attention(32, 2) for _ in range(3))
        self.enlarge = nn.Sequential(
            nn.ConvTranspose2d(32, 16, 2, 2),
            nn.GroupNorm(1, 16),
            nn.GELU(),
            nn.ConvTranspose2d(16, 8, 2, 2),
            nn.GELU(),
        )
        self.masks = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 8))
        self.quality = nn.Linear(32, 3)

    def forward(self, image, points, labels):
        turned = (2 * (points + 0.5) / 256 - 1) @ self.waves * (2 * math.pi)
        known = torch.cat([turned.sin(), turned.cos()], -1)
        known = torch.where(labels.unsqueeze(-1) == -1, torch.zeros_like(known), known)
        known = known + self.labels(labels.clamp(0, 1))
        x = torch.cat([self.tokens[None].expand(points.shape[0], -1, -1), known], 1)
        batch, channels, height, width = image.shape
        places = image.flatten(2).transpose(1, 2)
        x = self.norm[0](x + self.own(x))
        x = self.norm[1](x + self.to_image(x, places))
        places = self.norm[2](places + self.to_points(places, x))
        places = self.enlarge(places.transpose(1, 2).view(batch, channels, height, width))
        masks = (self.masks(x[:, 1:3]) @ places.flatten(2)).view(batch, 2, 4 * height, 4 * width)
        masks = F.interpolate(masks, (256, 256), mode="bilinear", align_corners=False)
        return masks, self.quality(x[:, 0])


@architecture
def mask_decoder():
    inputs = {
        "image": torch.randn(1, 32, 16, 16),
        "points": torch.rand(1, 2, 2) * 256,
        "labels": torch.tensor([[1, 0]]),
    }
    return MaskDecoder(), inputs, {"points": {1: "count"}, "labels": {1: "count"}}


class PointNetwork(nn.Module):
    """Of points and those that are next to them."""

    def __init__(self):
        super().__init__()
        self.first, self.second = (
            nn.Sequential(
                nn.Conv2d(channels, 32, 1, bias=False), nn.BatchNorm2d(32), nn.LeakyReLU(0.2)
            )
            for channels in (6, 64)
        )
        self.head = nn.Linear(64, 10)

    def edges(self, x, neighbours=5):
        batch, channels, count = x.shape
        squares = (x**2).sum(1, keepdim=True)
        apart = 2 * x.transpose(2, 1) @ x - squares - squares.transpose(2, 1)
        nearest = apart.topk(neighbours, -1)[1].unsqueeze(-1).expand(-1, -1, -1, channels)
        points = x.transpose(2, 1)
        others = points.unsqueeze(1).expand(batch, count, count, channels)
        found = torch.gather(others, 2, nearest)
        own = points.unsqueeze(2).expand(batch, count, neighbours, channels)
        return torch.cat([found - own, own], 3).permute(0, 3, 1, 2)

    def forward(self, points):
        first = self.first(self.edges(points)).max(-1)[0]
        second = self.second(self.edges(first)).max(-1)[0]
        return self.head(torch.cat([first, second], 1).max(-1)[0])


@architecture
def point_network():
    return PointNetwork(), {"points": torch.randn(1, 3, 64)}, {}


class GraphNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(8, 32), nn.Linear(32, 4)

    def forward(self, nodes, start, end):
        hidden = self.first(nodes)
        came = torch.zeros_like(hidden).index_add(0, end, hidden[start])
        degree = torch.zeros(nodes.shape[0]).index_add(0, end, torch.ones(end.shape[0]))
        return self.second(F.relu(hidden + came / degree.clamp(min=1).unsqueeze(-1)))


@architecture
def graph_network():
    edges = {name: torch.randint(0, 10, (20,)) for name in ["start", "end"]}
    inputs = {"nodes": torch.randn(10, 8), **edges}
    return GraphNetwork(), inputs, {name: {0: "edges"} for name in edges}


class StateSpace(nn.Module):
    def __init__(self, width=32, states=8):
        super().__init__()
        self.states = states
        self.enter, self.leave = nn.Linear(width, 2 * width), nn.Linear(width, width)
        self.mix = nn.Conv1d(width, width, 4, groups=width, padding=3)
        self.select, self.step = nn.Linear(width, 2 * states + 1), nn.Linear(1, width)
        self.decay, self.skip = nn.Parameter(torch.rand(width, states)), nn.Parameter(torch.ones(width))

    def forward(self, sequence):
        batch, length, width = sequence.shape
        x, gate = self.enter(sequence).chunk(2, -1)
        x = F.silu(self.mix(x.transpose(1, 2))[..., :length].transpose(1, 2))
        step, enter, leave = self.select(x).split([1, self.states, self.states], -1)
        step = F.softplus(self.step(step))
        kept = torch.exp(step.unsqueeze(-1) * -torch.exp(self.decay))
        added = step.unsqueeze(-1) * enter.unsqueeze(2) * x.unsqueeze(-1)
        state, given = torch.zeros(batch, width, self.states), []
        for at in range(12):
            state = kept[:, at] * state + added[:, at]
            given.append((state * leave[:, at].unsqueeze(1)).sum(-1))
        return self.leave((torch.stack(given, 1) + x * self.skip) * F.silu(gate))


@architecture
def state_space():
    return StateSpace(), {"sequence": torch.randn(1, 12, 32)}, {}


class Speaker(nn.Module):
    """Text to sound: how long each sound lasts is known only when it runs."""

    def __init__(self):
        super().__init__()
        self.sounds, self.encode = nn.Embedding(40, 32), nn.Conv1d(32, 32, 5, padding=2)
        self.lasts, self.split = nn.Conv1d(32, 1, 1), nn.Conv1d(32, 32, 1)
        self.flow = nn.Conv1d(16, 16, 3, padding=1)
        self.enlarge = nn.ModuleList(
            [nn.ConvTranspose1d(32, 16, 8, 4, 2), nn.ConvTranspose1d(16, 8, 8, 4, 2)]
        )
        self.smooth = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=3, dilation=3) for width in (16, 8)
        )
        self.wave = nn.Conv1d(8, 1, 7, padding=3, bias=False)

    def forward(self, ids):
        x = F.relu(self.encode(self.sounds(ids).transpose(1, 2)))
        lasts = torch.ceil(torch.exp(self.lasts(x)))[:, 0]
        ends = torch.cumsum(lasts, -1).unsqueeze(-1)
        path = (torch.arange(ends.max().long()).view(1, 1, -1) < ends).float()
        path = path - F.pad(path, (0, 0, 1, 0))[:, :-1]
        first, second = (self.split(x) @ path).chunk(2, 1)
        z = torch.cat([first, (second - self.flow(first)).flip(1)], 1)
        for enlarge, smooth in zip(self.enlarge, self.smooth):
            z = enlarge(F.leaky_relu(z, 0.1))
            z = z + smooth(F.leaky_relu(z, 0.1))
        return torch.tanh(self.wave(F.leaky_relu(z)))


@architecture
def speaker():
    return Speaker(), {"ids": torch.randint(0, 40, (1, 12))}, {"ids": {1: "length"}}


class DiffusionBlock(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.norm, self.again = nn.GroupNorm(4, before), nn.GroupNorm(4, after)
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.time = nn.Linear(32, after)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x, time):
        y = self.first(F.silu(self.norm(x))) + self.time(F.silu(time))[:, :, None, None]
        return self.skip(x) + self.second(F.silu(self.again(y)))


class Diffusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter, self.leave = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 3, 3, padding=1)
        self.smaller, self.attention = nn.Conv2d(32, 32, 3, 2, 1), Attention(32, 2)
        self.down, self.middle, self.up = (
            DiffusionBlock(*widths) for widths in [(16, 32), (32, 32), (64, 16)]
        )
        self.time = feed_forward(32, 32, nn.SiLU())

    def forward(self, noisy, time):
        waves = torch.exp(-math.log(10000) * torch.arange(16) / 16)
        turned = time.float()[:, None] * waves[None]
        embedded = self.time(torch.cat([turned.sin(), turned.cos()], -1))
        down = self.down(self.enter(noisy), embedded)
        x = self.middle(self.smaller(down), embedded)
        batch, channels, height, width = x.shape
        mixed = self.attention(x.flatten(2).transpose(1, 2)).transpose(1, 2)
        x = x + mixed.reshape(batch, channels, height, width)
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        return self.leave(self.up(torch.cat([x, down], 1), embedded))


@architecture
def diffusion():
    inputs = {"noisy": torch.randn(1, 3, 32, 32), "time": torch.tensor([500])}
    return Diffusion(), inputs, {"noisy": {0: "batch"}, "time": {0: "batch"}}


class LineReader(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, 1, 1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, 1, 1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d((2, 1), (2, 1)),
        )
        self.read = nn.LSTM(32 * 8, 32, 2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(64, 40)

    def forward(self, image):
        x = self.body(image).flatten(1, 2).transpose(1, 2)
        return F.log_softmax(self.head(self.read(x)[0]), -1)


@architecture
def line_reader():
    return LineReader(), {"image": torch.randn(1, 1, 32, 64)}, {"image": {3: "width"}}


class Separator(nn.Module):
    """Of sound: convolutions down and up again around a recurrent middle."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([nn.Conv1d(1, 16, 8, 4), nn.Conv1d(16, 32, 8, 4)])
        self.up = nn.ModuleList([nn.ConvTranspose1d(32, 16, 8, 4), nn.ConvTranspose1d(16, 1, 8, 4)])
        self.gates = nn.ModuleList(
            nn.Conv1d(before, after, 1) for before, after in [(16, 32), (32, 64), (32, 64), (16, 32)]
        )
        self.middle, self.join = nn.LSTM(32, 32, bidirectional=True), nn.Linear(64, 32)

    def forward(self, wave):
        mean, deviation = wave.mean(-1, keepdim=True), wave.std(-1, keepdim=True)
        first = F.glu(self.gates[0](F.relu(self.down[0]((wave - mean) / (deviation + 1e-3)))), 1)
        second = F.glu(self.gates[1](F.relu(self.down[1](first))), 1)
        x = self.join(self.middle(second.permute(2, 0, 1))[0]).permute(1, 2, 0) + second
        x = F.relu(self.up[0](F.glu(self.gates[2](x), 1)))
        x = x + first[..., : x.shape[-1]]
        return self.up[1](F.glu(self.gates[3](x), 1)) * deviation + mean


@architecture
def separator():
    return Separator(), {"wave": torch.randn(1, 1, 1044)}, {}


class StreamingEncoder(nn.Module):
    """What it remembers is an input, and an output of the step before."""

    def __init__(self):
        super().__init__()
        self.enter, self.mix = nn.Linear(16, 32), nn.Conv1d(32, 32, 5, groups=32)
        self.q, self.k, self.v, self.o = (nn.Linear(32, 32) for _ in range(4))
        self.scale = nn.Parameter(torch.tensor(0.5))

    def forward(self, chunk, mixed, keys, values, length):
        x = self.enter(chunk)
        whole = torch.cat([mixed, x.transpose(1, 2)], 2)
        x = x + self.mix(whole).transpose(1, 2)
        k, v = torch.cat([keys, self.k(x)], 1), torch.cat([values, self.v(x)], 1)
        unknown = torch.arange(k.shape[1])[None, :] < (8 - length)[:, None]
        scores = (self.q(x) @ k.transpose(1, 2)) / math.sqrt(32)
        scores = scores.masked_fill(unknown[:, None, :], -1e4)
        x = x * self.scale + self.o(scores.softmax(-1) @ v)
        x = x * torch.exp(-torch.logsumexp(x * x, -1, keepdim=True))
        return x, whole[:, :, -4:], k[:, -8:], v[:, -8:], torch.clamp(length + x.shape[1], max=8)


@architecture
def streaming_encoder():
    inputs = {
        "chunk": torch.randn(1, 4, 16),
        "mixed": torch.randn(1, 32, 4),
        "keys": torch.randn(1, 8, 32),
        "values": torch.randn(1, 8, 32),
        "length": torch.tensor([3]),
    }
    return StreamingEncoder(), inputs, {}


class MobileTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.SiLU()
        )
        self.inverted = nn.Sequential(
            nn.Conv2d(16, 64, 1, bias=False),
            nn.BatchNorm2d(64),
            nn.SiLU(),
            nn.Conv2d(64, 64, 3, 1, 1, groups=64, bias=False),
            nn.BatchNorm2d(64),
            nn.SiLU(),
            nn.Conv2d(64, 16, 1, bias=False),
            nn.BatchNorm2d(16),
        )
        self.widen, self.narrow = nn.Conv2d(16, 32, 1), nn.Conv2d(32, 16, 1)
        self.attention, self.norm, self.feed = Attention(32, 2), norms(32, 2), feed_forward(32, 64)
        self.fuse, self.head = nn.Conv2d(32, 16, 3, 1, 1), nn.Linear(16, 10)

    def forward(self, image):
        x = self.stem(image)
        x = x + self.inverted(x)
        y = self.widen(x)
        batch, channels, height, width = y.shape
        y = y.reshape(batch * channels * height // 2, 2, width // 2, 2).transpose(1, 2)
        y = y.reshape(batch, channels, height * width // 4, 4).transpose(1, 3)
        y = y.reshape(batch * 4, height * width // 4, channels)
        y = y + self.attention(self.norm[0](y))
        y = y + self.feed(self.norm[1](y))
        y = y.reshape(batch, 4, height * width // 4, channels).transpose(1, 3)
        y = y.reshape(batch * channels * height // 2, width // 2, 2, 2).transpose(1, 2)
        y = self.narrow(y.reshape(batch, channels, height, width))
        x = self.fuse(torch.cat([x, y], 1))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


@architecture
def mobile_transformer():
    return MobileTransformer(), {"image": torch.randn(1, 3, 32, 32)}, {"image": {0: "batch"}}


class WideConvolution(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.wide = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm, self.feed = nn.LayerNorm(width, eps=1e-6), feed_forward(width, 4 * width)
        self.scale = nn.Parameter(0.1 * torch.ones(width))

    def forward(self, x):
        y = self.scale * self.feed(self.norm(self.wide(x).permute(0, 2, 3, 1)))
        return x + y.permute(0, 3, 1, 2)


class ModernConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 32, 4, 4)
        self.blocks = nn.Sequential(WideConvolution(32), WideConvolution(32))
        self.norm, self.head = nn.LayerNorm(32), nn.Linear(32, 10)

    def forward(self, image):
        return self.head(self.norm(self.blocks(self.patches(image)).mean((-2, -1))))


@architecture
def modern_convolutions():
    return ModernConvolutions(), {"image": torch.randn(1, 3, 64, 64)}, {"image": {0: "batch"}}


class BoxDetector(nn.Module):
    """Sides of boxes as distributions around places that the size of the image gives."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            *(
                layer
                for before, after in [(3, 16), (16, 32), (32, 32)]
                for layer in (nn.Conv2d(before, after, 3, 2, 1), nn.SiLU())
            )
        )
        self.pool, self.join = nn.MaxPool2d(5, 1, 2), nn.Conv2d(128, 32, 1)
        self.sides, self.classes = nn.Conv2d(32, 64, 1), nn.Conv2d(32, 6, 1)
        self.register_buffer("distances", torch.arange(16.0).view(1, 16, 1, 1))

    def forward(self, image):
        x = self.body(image)
        pooled = [x]
        for _ in range(3):
            pooled.append(self.pool(pooled[-1]))
        x = self.join(torch.cat(pooled, 1))
        batch, _, height, width = x.shape
        sides = self.sides(x).view(batch, 4, 16, height * width).transpose(2, 1).softmax(1)
        near, far = (sides * self.distances).sum(1).chunk(2, 1)
        rows, columns = torch.arange(height).float() + 0.5, torch.arange(width).float() + 0.5
        rows, columns = torch.meshgrid(rows, columns, indexing="ij")
        places = torch.stack([columns.flatten(), rows.flatten()])[None]
        first, last = places - near, places + far
        boxes = torch.cat([(first + last) / 2, last - first], 1) * 8
        return torch.cat([boxes, self.classes(x).flatten(2).sigmoid()], 1)


@architecture
def box_detector():
    return BoxDetector(), {"image": torch.rand(1, 3, 96, 96)}, {"image": {2: "height", 3: "width"}}


class TimeMixing(nn.Module):
    """A step of a recurrence over keys and values, its state beside it."""

    def __init__(self, width=32):
        super().__init__()
        self.norm, self.share = nn.LayerNorm(width), nn.Parameter(torch.rand(width))
        self.k, self.v, self.r, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.decay, self.bonus = nn.Parameter(torch.rand(width)), nn.Parameter(torch.rand(width))

    def forward(self, x, before, above, below, most):
        x = self.norm(x)
        mixed = x * self.share + before * (1 - self.share)
        k, v, r = self.k(mixed), self.v(mixed), torch.sigmoid(self.r(mixed))
        top = torch.maximum(most, self.bonus + k)
        old, new = torch.exp(most - top), torch.exp(self.bonus + k - top)
        y = (old * above + new * v) / (old * below + new)
        decayed = most - torch.exp(self.decay)
        top = torch.maximum(decayed, k)
        old, new = torch.exp(decayed - top), torch.exp(k - top)
        return self.o(r * y), x, old * above + new * v, old * below + new, top


@architecture
def time_mixing():
    inputs = {name: torch.rand(1, 32) for name in ["x", "before", "above", "below", "most"]}
    return TimeMixing(), inputs, {}


class Codebook(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode, self.decode = nn.Conv1d(8, 16, 3, padding=1), nn.Conv1d(16, 8, 3, padding=1)
        self.words = nn.Parameter(torch.randn(64, 16))

    def forward(self, x):
        nearest = torch.cdist(self.encode(x).transpose(1, 2), self.words[None]).argmin(-1)
        return self.decode(F.embedding(nearest, self.words).transpose(1, 2)), nearest


@architecture
def codebook():
    return Codebook(), {"x": torch.randn(1, 8, 20)}, {}


class FaceEmbedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 3, 1, 1),
            nn.BatchNorm2d(16),
            nn.PReLU(16),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.BatchNorm2d(32),
            nn.PReLU(32),
        )
        self.squeeze = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(32, 8, 1),
            nn.ReLU(),
            nn.Conv2d(8, 32, 1),
            nn.Hardsigmoid(),
        )
        self.before, self.after = nn.BatchNorm2d(32), nn.BatchNorm1d(64)
        self.embed = nn.Linear(32 * 256, 64)

    def forward(self, face):
        x = self.body(face)
        x = self.before(x * self.squeeze(x)).flatten(1)
        return F.normalize(self.after(self.embed(x)))


@architecture
def face_embedding():
    return FaceEmbedding(), {"face": torch.randn(1, 3, 32, 32)}, {"face": {0: "batch"}}


class Spectrum(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("window", torch.hann_window(64))
        self.register_buffer("bands", torch.rand(33, 20))
        self.first, self.over_time = nn.Conv2d(1, 8, 3, 2, 1), nn.GRU(80, 32, batch_first=True)
        self.head = nn.Linear(32, 4)

    def forward(self, wave):
        waves = torch.fft.rfft(wave.unfold(-1, 64, 32) * self.window)
        power = waves.real**2 + waves.imag**2
        x = self.first(torch.log(power @ self.bands + 1e-6)[:, None])
        return self.head(self.over_time(x.permute(0, 2, 1, 3).flatten(2))[1][0])


@architecture
def spectrum():
    return Spectrum(), {"wave": torch.randn(1, 544)}, {}


write_all(known, Path(sys.argv[1]))
