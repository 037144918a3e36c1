"""python fuse.py MODEL OUT --type TYPE: what onnxruntime's tool for transformers makes of a model, its attention fused."""

import argparse
import logging

from onnxruntime.transformers import optimizer

logging.disable(logging.CRITICAL)
parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model")
parser.add_argument("out")
parser.add_argument("--type", default="bert")
options = parser.parse_args()
# Level 0: the tool's own fusions. Those of a session's are another file.
fused = optimizer.optimize_model(
    options.model, model_type=options.type, num_heads=0, hidden_size=0, opt_level=0
)
fused.save_model_to_file(options.out)
