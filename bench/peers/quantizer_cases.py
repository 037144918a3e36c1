"""What onnxruntime's quantizer writes for small models, as golden files.

    python quantizer_cases.py OUT

For each case OUT gets NAME.onnx, the float model, NAME.VARIANT.onnx, what the tool makes of it, and NAME.ranges.json,
the lowest and highest number of each activation that the static ones rest on. Needs requirements.txt; runs from a seed.
"""

import json
import logging
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper, parser
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

# Each: the opset, the graph, and the shapes of its weights. A weight that is also an input is one with a default.
CASES = {
    "products": (
        17,
        """g (float[N, 6] x) => (float[N, 4] y, float[N, N] z, float[N, 5] w) {
            [fc1] a = Gemm<transB = 1>(x, W1, B1)
            b = Gemm(a, W2)
            [fc1again] d = Gemm<transB = 1>(x, W5, B1)
            e = Relu(b)
            [out] y = MatMul(e, W3)
            [turn] t = Transpose(d)
            [scores] z = MatMul(d, t)
            [scaled] s = Gemm<alpha = 0.5>(x, W4)
            [same] w = MatMul(a, W4b)
        }""",
        {"W1": (8, 6), "B1": (8,), "W2": (8, 8), "W3": (8, 4), "W4": (6, 5), "W4b": (8, 5), "W5": (8, 6)},
    ),
    "gemms": (
        17,
        """g (float[N, 6] x, float[6, 4] c) => (float[N, 4] y, float[N, 4] z, float[N, 4] w, float[N, 6] v) {
            [computed] y = Gemm(x, c, B)
            [turned] u = Transpose(c)
            [computed2] z = Gemm<transB = 1>(x, u)
            k = Add(W, W)
            w = Gemm(x, k, B)
            v = Gemm<alpha = 2.0, transA = 0>(w, V)
        }""",
        {"B": (4,), "W": (6, 4), "V": (4, 6)},
    ),
    "embedding": (
        17,
        """g (int64[N] ids, float[N, 6] x) => (float[N, 4] y, float[6, N] z, float[N, 3] w, float[9, 6] f) {
            [look] a = Gather(table, ids)
            [turn] b = Transpose<perm = [1, 0]>(a)
            [back] c = Transpose<perm = [1, 0]>(b)
            [out] y = MatMul(c, W)
            [sum] s = Add(a, x)
            z = Transpose(s)
            [first] f1 = Gather<axis = 1>(other, ids)
            [last] w = MatMul(x, W2)
            f = Identity(other)
        }""",
        {"table": (10, 6), "other": (9, 6), "W": (6, 4), "W2": (6, 3)},
    ),
    "convolutions": (
        17,
        """g (float[1, 3, 8, 8] x, float[1, 3, 16] t) => (float[1, 4, 4, 4] y, float[1, 5, 14] z) {
            [first] a = Conv<pads = [1, 1, 1, 1], kernel_shape = [3, 3]>(x, W1, B1)
            [second] b = Conv<group = 4, strides = [2, 2], pads = [1, 1, 1, 1]>(a, W2)
            c = Conv(b, W3, B1)
            y = Relu(c)
            [flat] z = Conv(t, W4, B4)
        }""",
        {"W1": (4, 3, 3, 3), "B1": (4,), "W2": (4, 1, 3, 3), "W3": (4, 4, 1, 1), "W4": (5, 3, 3), "B4": (5,)},
    ),
    "lstm": (
        17,
        """g (float[7, 1, 5] x) => (float[7, 2, 1, 4] y, float[2, 1, 4] h, float[7, 1, 1, 4] v) {
            [cell] y, h = LSTM<hidden_size = 4, direction = "bidirectional">(x, W, R, B)
            v, , last = LSTM<hidden_size = 4>(x, W2, R2)
        }""",
        {"W": (2, 16, 5), "R": (2, 16, 4), "B": (2, 32), "W2": (1, 16, 5), "R2": (1, 16, 4)},
    ),
    "shared": (
        17,
        """g (float[6, 6] x) => (float[6, 6] y, float[6, 6] z, float[6, 6] s, float[6, 6] v) {
            [one] a = MatMul(x, W)
            [two] b = MatMul(a, W)
            [three] c = Gemm(b, W)
            [read] s = Softmax(W)
            [four] y = Add(c, W3)
            [five] z = MatMul(y, W3)
            [six] v = Add(z, W3)
        }""",
        {"W": (6, 6), "W3": (6, 6)},
    ),
    "bodies": (
        17,
        """g (float[N, 6] x, bool p) => (float[N, 4] y, float[N, 4] z) {
            [top] a = MatMul(x, V)
            [branch] y = If(p) <
                then_branch = g1 () => (float[N, 4] t) { [inner] t = Gemm<transB = 1>(x, W, B) },
                else_branch = g2 () => (float[N, 4] e) { [other] e = MatMul(a, W2) }
            >
            [after] z = MatMul(x, W3)
        }""",
        {"V": (6, 6), "W": (4, 6), "B": (4,), "W2": (6, 4), "W3": (6, 4)},
    ),
    "nothing": (
        17,
        """g (float[N, 6] x) => (float[N, 4] y) {
            x2 = Constant<value = float[6, 4] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24}>()
            [product] a = Gemm(x, x2, B)
            y = Relu(a)
        }""",
        {"B": (4,)},
    ),
    "defaults": (
        13,
        """g (float[N, 6] x, float[6, 4] W, float[4] B, float[3] unused, float[3] spare) => (float[N, 4] y, float[N, 4] z) {
            [fc] y = Gemm(x, W, B)
            [mm] z = MatMul(x, V)
        }""",
        {"W": (6, 4), "B": (4,), "V": (6, 4), "unused": (3,), "idle": (5,)},
    ),
    "blocks": (
        17,
        """g (float[N, 37] x, float[1, N, 300] t) => (float[N, 9] y, float[1, N, 5] z, float[N, 9] w, float[1, N, 9] v) {
            [odd] y = MatMul(x, W)
            long = MatMul(t, L)
            [after] z = Relu(long)
            [same] w = MatMul(x, W)
            [stacked] s = MatMul(t, S)
            [name] v = MatMul(s, D)
        }""",
        {"W": (37, 9), "L": (300, 5), "S": (1, 300, 16), "D": (16, 9)},
    ),
    "image": (
        17,
        """g (float[1, 3, 8, 8] x) => (float[1, 4, 1, 1] y, float[1, 4, 4, 4] z, float[1, 8, 8, 4] t) {
            [first] a = Conv<pads = [1, 1, 1, 1]>(x, W1, B1)
            [act] b = Relu(a)
            [cap] c = Clip(b, low, high)
            [grouped] d = Conv<group = 4, pads = [1, 1, 1, 1]>(c, W2, B2)
            [kept] e = Relu(d)
            [both] f = Add(e, d)
            [small] g1 = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(f)
            [again] h = Conv<group = 4>(g1, W3, B2)
            z = Relu(h)
            [mean] y = GlobalAveragePool(z)
            [turn] t = Transpose<perm = [0, 2, 3, 1]>(f)
        }""",
        {"W1": (4, 3, 3, 3), "B1": (4,), "W2": (4, 1, 3, 3), "B2": (4,), "W3": (4, 1, 1, 1), "low": (), "high": ()},
    ),
    "moved": (
        17,
        """g (int64[N] ids, float[N, 6] x) => (float[N, 12] y, float[N, 3] v, float[N, 3] w, float[N, 3] u) {
            [look] a = Gather(table, ids)
            [row] r = Gather(table, one)
            [sum] s = Add(a, x)
            [shape] q = Reshape(s, sizes)
            [mask] k = Softmax(q)
            [scale] m = Mul(k, gain)
            [side] n = Squeeze(m, axis)
            [join] y = Concat<axis = 1>(n, a)
            [cut] p1, p2 = Split<axis = 1>(n)
            [pad] d = Pad(p1, pads, fill)
            [slice] v = Slice(d, from, to, from1)
            [padded] d2 = Pad(p2, pads)
            w = Slice(d2, from, to, from1)
            [less] lower = Less(p1, p2)
            [pick] u = Where(lower, p1, p2)
            [shifted] sh = Sub(r, a)
        }""",
        {"table": (10, 6), "gain": (1,), "fill": (), "one": [1], "sizes": [-1, 1, 6], "axis": [1], "pads": [0, 1, 0, 1],
         "from": [0], "to": [3], "from1": [1]},
    ),
    "attention": (
        17,
        """g (float[2, 3, 8] x) => (float[2, 3, 8] y, float[2, 3, 8] n) {
            [norm] a = LayerNormalization(x, G, B)
            [q] q = MatMul(a, Wq)
            [qb] q1 = Add(q, Bq)
            [k] k = MatMul(a, Wk)
            [turn] kt = Transpose<perm = [0, 2, 1]>(k)
            [score] s = MatMul(q1, kt)
            [scale] s1 = Div(s, root)
            [prob] p = Softmax(s1)
            [v] v = MatMul(a, Wv)
            [mix] m = MatMul(p, v)
            [act] g1 = Sigmoid(m)
            [soft] g2 = LeakyRelu(g1)
            [out] y = Add(g2, x)
            [norm2] n = LayerNormalization(y, G, B2)
        }""",
        {"G": (8,), "B": (8,), "B2": (8,), "Wq": (8, 8), "Bq": (8,), "Wk": (8, 8), "Wv": (8, 8), "root": ()},
    ),
    "layers": (
        17,
        """g (float[N, 6] x) => (float[N, 5] y, float[N, 4] z, float[N, 5] w) {
            [fc1] a = Gemm<transB = 1>(x, W1, B)
            [act1] b = Relu(a)
            [fc2] c = Gemm<transB = 1>(b, W2, B)
            [norm] d = BatchNormalization(c, S, B, M, V)
            [fc3] z = Gemm(d, W3)
            [tiny] y1 = Gemm(b, W4, large)
            [top] y = Relu(y1)
            [also] w = Relu(y)
        }""",
        {"W1": (8, 6), "B": (8,), "W2": (8, 8), "S": (8,), "M": (8,), "V": [2.0] * 8, "W3": (8, 4),
         "W4": [[1e-7] * 5] * 8, "large": [1e4, 2.0, -3e6, 0.0, 1e-9]},
    ),
    "turned": (
        13,
        """g (float[1, 4, 5, 5] x) => (float[1, 3, 10, 10] y, int64[1, 1, 10, 10] i, float[1, 3, 20, 20] r) {
            [up] a = ConvTranspose<strides = [2, 2], kernel_shape = [2, 2]>(x, W, B)
            [act] y = Relu(a)
            [best] i = ArgMax<axis = 1>(y)
            [larger] r = Resize<mode = "nearest">(y, roi, sizes)
        }""",
        {"W": (4, 3, 2, 2), "B": (3,), "roi": [0.0] * 0, "sizes": [1.0, 1.0, 2.0, 2.0]},
    ),
}

DYNAMIC = {
    "dynamic": {},
    "dynamic-channel": {"per_channel": True},
    "dynamic-reduced": {"reduce_range": True},
}
# What the tool makes of these does not run: a scale for each index of the axis that is summed over.
DOES_NOT_RUN = ("blocks.static-channel",)
STATIC = {
    "static": {},
    "static-channel": {"per_channel": True},
    "static-uint8": {"activation_type": QuantType.QUInt8},
    "static-reduced": {"reduce_range": True},
}
WEIGHTS = {
    "weights": {},
    "weights-8": {"bits": 8, "block_size": 32},
    "weights-2": {"bits": 2, "block_size": 16},
    "weights-symmetric": {"is_symmetric": True, "block_size": 32},
}


def model_of(name, opset, text, shapes):
    graph = parser.parse_graph(text)
    graph.name = name
    random = np.random.RandomState(len(name))
    for weight, shape in shapes.items():
        if isinstance(shape, tuple):
            values = random.standard_normal(shape).astype(np.float32)
        else:
            values = np.array(shape, np.int64 if all(isinstance(number, int) for number in shape) and shape else np.float32)
        graph.initializer.append(numpy_helper.from_array(values, weight))
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    return model


class Samples(CalibrationDataReader):
    """Three of them, from a seed, for a model whose free sizes are 3."""

    def __init__(self, model):
        random = np.random.RandomState(7)
        weights = {weight.name for weight in model.graph.initializer}
        self.samples = iter([self.sample(model, weights, random) for _ in range(3)])

    @staticmethod
    def sample(model, weights, random):
        feeds = {}
        for value in model.graph.input:
            if value.name in weights:
                continue
            tensor = value.type.tensor_type
            shape = [dim.dim_value or 3 for dim in tensor.shape.dim]
            if tensor.elem_type == onnx.TensorProto.FLOAT:
                feeds[value.name] = random.standard_normal(shape).astype(np.float32)
            elif tensor.elem_type == onnx.TensorProto.BOOL:
                feeds[value.name] = np.ones(shape, bool)
            else:
                feeds[value.name] = random.randint(0, 6, shape)
        return feeds

    def get_next(self):
        return next(self.samples, None)


def write_static(source, out, name):
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "ranges.json"
        for variant, options in STATIC.items():
            if f"{name}.{variant}" in DOES_NOT_RUN:
                continue
            target = out / f"{name}.{variant}.onnx"
            quantize_static(source, target, Samples(onnx.load(source)), calibration_cache_path=cache, **options)
        seen = json.loads(cache.read_text())["data"]
    ranges = {
        tensor: [float(np.ravel(one[end]["data"] if isinstance(one[end], dict) else one[end])[0]) for end in ("lowest", "highest")]
        for tensor, one in sorted(seen.items())
    }
    lines = ",\n".join(f"  {json.dumps(tensor)}: {json.dumps(ends)}" for tensor, ends in ranges.items())
    (out / f"{name}.ranges.json").write_text(f"{{\n{lines}\n}}\n")


def main():
    logging.disable(logging.CRITICAL)
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, (opset, text, shapes) in CASES.items():
        source = out / f"{name}.onnx"
        onnx.save(model_of(name, opset, text, shapes), source)
        for variant, options in DYNAMIC.items():
            quantize_dynamic(source, out / f"{name}.{variant}.onnx", weight_type=QuantType.QInt8, **options)
        write_static(source, out, name)
        if "MatMul" not in text:
            continue
        for variant, options in WEIGHTS.items():
            quantizer = MatMulNBitsQuantizer(onnx.load(source), **options)
            quantizer.process()
            onnx.save(quantizer.model.model, out / f"{name}.{variant}.onnx")


if __name__ == "__main__":
    main()
