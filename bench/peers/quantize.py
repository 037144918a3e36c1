"""What a Python user gets from onnxruntime.quantization, in 8 bits.

    python quantize.py MODEL SAMPLES OUT --recipe plain|best|dynamic [--operators …] [--ranges …]

SAMPLES is a folder written by write-samples.mjs. `plain` is static QDQ with min-max ranges: weights per tensor, every
operator. `best` is the same with weights per channel, and only the operators that hold most weights, which measuring
found to keep the most accuracy. `dynamic` is the tool's dynamic mode, without samples.
"""

import argparse
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

# The quantizer relabels an older model as opset 11 without converting it, and such a file may be invalid.
LEAST_OPSET = 13


class Samples(CalibrationDataReader):
    def __init__(self, folder):
        self.feeds = self.read(sorted(Path(folder).glob("*.npz")))

    @staticmethod
    def read(files):
        for file in files:
            arrays = dict(np.load(file))
            for index in range(len(next(iter(arrays.values())))):
                yield {name: array[index] for name, array in arrays.items()}

    def get_next(self):
        return next(self.feeds, None)


def convert(path, out):
    model = onnx.load(path)
    opset = next(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
    if opset < LEAST_OPSET:
        model = onnx.version_converter.convert_version(model, LEAST_OPSET)
    onnx.save(model, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("samples")
    parser.add_argument("out")
    parser.add_argument("--recipe", choices=["plain", "best", "dynamic"], required=True)
    parser.add_argument("--operators", help="of `best` and `dynamic` (default: all)")
    parser.add_argument("--ranges", choices=["MinMax", "Percentile"], default="MinMax", help="of `best`")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    best = options.recipe == "best"
    operators = options.operators.split(",") if options.operators else None
    with TemporaryDirectory() as folder:
        source, prepared = (str(Path(folder, name)) for name in ("source.onnx", "prepared.onnx"))
        convert(options.model, source)
        # Symbolic shape inference refuses some of these models; onnx's own suffices here.
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        if options.recipe == "dynamic":
            quantize_dynamic(prepared, options.out, op_types_to_quantize=operators)
            return
        quantize_static(
            prepared,
            options.out,
            Samples(options.samples),
            quant_format=QuantFormat.QDQ,
            per_channel=best,
            op_types_to_quantize=operators if best else None,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod[options.ranges if best else "MinMax"],
        )


if __name__ == "__main__":
    main()
