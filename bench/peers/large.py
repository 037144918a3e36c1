"""python large.py MODEL OUT --tool quantize|onnxslim|half

What a Python user runs on a model of more than 2 GB: weights go to a file beside what is written.
"""

import argparse
from pathlib import Path

import onnx

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model")
parser.add_argument("out")
parser.add_argument("--tool", choices=["quantize", "onnxslim", "half"], required=True)
options = parser.parse_args()
if options.tool == "quantize":
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        options.model,
        options.out,
        weight_type=QuantType.QInt8,
        per_channel=True,
        use_external_data_format=True,
    )
else:
    model = onnx.load(options.model)
    if options.tool == "onnxslim":
        import onnxslim

        model = onnxslim.slim(model)
    else:
        from onnxruntime.transformers.float16 import convert_float_to_float16

        model = convert_float_to_float16(model, keep_io_types=True, disable_shape_infer=True)
    beside = f"{Path(options.out).name}.data"
    onnx.save(model, options.out, save_as_external_data=True, location=beside)
