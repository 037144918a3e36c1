"""python detectors.py FOLDER

Detectors, and what else Ultralytics publishes under the same names, with weights at random, as `yolo export` writes them: with
sizes fixed and free, and with boxes selected in the model. Nothing is downloaded. As `architectures.py` writes them; what a
file says is what onnxruntime, which optimizes nothing, answers.
"""

import json
import logging
import os
import shutil
import sys
from pathlib import Path

os.environ["YOLO_OFFLINE"] = "1"

import numpy as np
import onnxruntime
import torch
from ultralytics import RTDETR, YOLO
from ultralytics.utils import LOGGER

LOGGER.setLevel(logging.ERROR)
folder = Path(sys.argv[1])
side = 160

models = [
    *((name, {}) for name in ["yolov3-tiny", "yolov5n", "yolov6n", "yolov8n-ghost", "yolov9t", "yolov10n"]),
    *((f"yolov8n{task}", {}) for task in ["", "-seg", "-pose", "-obb", "-cls"]),
    *((f"yolo11n{task}", {}) for task in ["", "-seg", "-obb"]),
    *((f"yolo26n{task}", {}) for task in ["", "-seg", "-pose", "-sem"]),
    ("yolo12n", {}),
    ("yolov8n", {"dynamic": True}),
    ("yolov8n", {"nms": True}),
    ("yolov8n-seg", {"nms": True}),
    ("yolo11n-pose", {"nms": True}),
    ("rtdetr-l", {}),
]


def with_statistics(module):
    """Batch norms that have seen something: of those that have not, rounding is all that is left after many layers."""
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = 1.0
    module.train()
    with torch.no_grad():
        module(torch.rand(4, 3, side, side))
    module.eval()


def listed(array):
    dtype = "float32" if array.dtype.kind == "f" else str(array.dtype)
    return {"type": dtype, "dims": list(array.shape), "data": array.ravel().tolist()}


os.chdir(folder)
for name, options in models:
    torch.manual_seed(0)
    path = folder / f"{'-'.join([name, *(options or ['fixed'])])}.onnx"
    try:
        model = (RTDETR if name.startswith("rtdetr") else YOLO)(f"{name}.yaml")
        with_statistics(model.model)
        written = model.export(format="onnx", imgsz=side, device="cpu", **options)
        shutil.move(written, path)
    except Exception as error:  # Of any kind: exporters raise what they like.
        print(json.dumps({"name": path.stem, "error": str(error).splitlines()[0][:100]}), flush=True)
        continue
    plain = onnxruntime.SessionOptions()
    plain.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, plain, providers=["CPUExecutionProvider"])
    [given] = session.get_inputs()
    image = np.random.RandomState(0).rand(1, 3, side, side).astype("float32")
    answers = session.run(None, {given.name: image})
    Path(f"{path}.json").write_text(
        json.dumps(
            {"inputs": {given.name: listed(image)}, "outputs": [listed(one) for one in answers]}
        )
    )
    print(json.dumps({"name": path.stem, "file": path.name}), flush=True)
