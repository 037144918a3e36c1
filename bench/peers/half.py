"""python half.py MODEL OUT [--keep-io]: a model in float16, as onnxruntime's converter makes it."""

import argparse

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model")
parser.add_argument("out")
parser.add_argument("--keep-io", action="store_true")
options = parser.parse_args()
half = convert_float_to_float16(onnx.load(options.model), keep_io_types=options.keep_io)
onnx.save(half, options.out)
