"""python simplify.py MODEL OUT --tool onnxsim|onnxslim [--standard]

--standard: onnxsim without its fusion of attention into an operator of onnxruntime's own, which no other engine has.
"""

import argparse

import onnx

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model")
parser.add_argument("out")
parser.add_argument("--tool", choices=["onnxsim", "onnxslim"], required=True)
parser.add_argument("--standard", action="store_true")
options = parser.parse_args()
if options.tool == "onnxsim":
    import onnxsim

    simplified, holds = onnxsim.simplify(
        onnx.load(options.model),
        skipped_optimizers=["fuse_attention"] if options.standard else None,
    )
    if not holds:
        raise SystemExit("onnxsim: its result differs from the model.")
else:
    import onnxslim

    simplified = onnxslim.slim(onnx.load(options.model))
onnx.save(simplified, options.out)
