"""What a Python user gets from onnxruntime.quantization, in 8 bits.

    python quantize.py MODEL SAMPLES OUT [--mode dynamic] [--per-channel] [--reduce-range] [--operators Conv,MatMul]
        [--ranges Percentile] [--activations QInt8]

SAMPLES is a folder written by write-samples.mjs; dynamic mode does not read it. Without options it is the tool as it
comes: static QDQ with min-max ranges, weights per tensor, every operator.
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
    parser.add_argument("--mode", choices=["static", "dynamic"], default="static")
    parser.add_argument("--per-channel", action="store_true")
    parser.add_argument("--reduce-range", action="store_true")
    parser.add_argument("--operators", type=lambda text: text.split(","), help="default: all")
    parser.add_argument("--ranges", choices=["MinMax", "Percentile", "Entropy"], default="MinMax")
    parser.add_argument("--activations", choices=["QUInt8", "QInt8"], default="QUInt8")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    common = {
        "op_types_to_quantize": options.operators,
        "per_channel": options.per_channel,
        "reduce_range": options.reduce_range,
        "weight_type": QuantType.QInt8,
    }
    with TemporaryDirectory() as folder:
        source, prepared = (str(Path(folder, name)) for name in ("source.onnx", "prepared.onnx"))
        convert(options.model, source)
        # Symbolic shape inference refuses some of these models; onnx's own suffices here.
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        if options.mode == "dynamic":
            quantize_dynamic(prepared, options.out, **common)
            return
        quantize_static(
            prepared,
            options.out,
            Samples(options.samples),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType[options.activations],
            calibrate_method=CalibrationMethod[options.ranges],
            **common,
        )


if __name__ == "__main__":
    main()
