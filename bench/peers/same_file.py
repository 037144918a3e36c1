"""How far a quantized file is from the one that onnxruntime.quantization writes at its defaults.

    python same_file.py MODEL OWN {dynamic,weights,static} [SAMPLES]

Prints JSON: how many parts (weights, nodes, inputs, outputs, opsets) the tool's file has, those that differ in whatever
order they come, and of weights that rest on what was measured how far their numbers are apart. SAMPLES is a folder
written by write-samples.mjs.
"""

import argparse
import json
import logging
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from quantize import Samples


def written(model, mode, samples, out):
    if mode == "dynamic":
        quantize_dynamic(model, out, weight_type=QuantType.QInt8)
    elif mode == "static":
        quantize_static(model, out, Samples(samples))
    else:
        quantizer = MatMulNBitsQuantizer(onnx.load(model))
        quantizer.process()
        onnx.save(quantizer.model.model, out)
    return onnx.load(out)


def attribute_text(attribute):
    if attribute.type == onnx.AttributeProto.GRAPH:
        return f"{attribute.name}=body"
    if attribute.type == onnx.AttributeProto.TENSOR:
        return f"{attribute.name}={tensor_text(attribute.t)}"
    return f"{attribute.name}={onnx.helper.get_attribute_value(attribute)}"


def tensor_text(tensor):
    array = numpy_helper.to_array(tensor)
    return f"{array.dtype}{list(array.shape)} {array.tobytes().hex()}"


def parts(graph, weights, texts):
    names = {weight.name for weight in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in names]
    texts.append(f"body {inputs} -> {[value.name for value in graph.output]}")
    for weight in graph.initializer:
        weights[weight.name] = weight
    for node in graph.node:
        attributes = sorted(attribute_text(attribute) for attribute in node.attribute)
        domain = "" if node.domain == "ai.onnx" else node.domain
        inputs = list(node.input)
        while inputs and inputs[-1] == "":
            inputs.pop()
        texts.append(f"node {domain} {node.op_type} {node.name} {inputs} -> {list(node.output)} {attributes}")
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                parts(attribute.g, weights, texts)


def read(model):
    weights, texts = {}, []
    for opset in model.opset_import:
        texts.append(f"opset {'' if opset.domain == 'ai.onnx' else opset.domain} {opset.version}")
    parts(model.graph, weights, texts)
    return weights, Counter(texts)


def compare(own, tool, is_measured):
    own_weights, own_texts = read(own)
    tool_weights, tool_texts = read(tool)
    differ = [*(own_texts - tool_texts), *(tool_texts - own_texts)]
    apart = {"scale": 0.0, "zeroPoint": 0, "bias": 0.0}
    for name in own_weights.keys() | tool_weights.keys():
        if name not in own_weights or name not in tool_weights:
            differ.append(f"weight {name} {'is not there' if name in tool_weights else 'is too much'}")
            continue
        ours, theirs = numpy_helper.to_array(own_weights[name]), numpy_helper.to_array(tool_weights[name])
        if ours.dtype == theirs.dtype and ours.shape == theirs.shape:
            if ours.tobytes() == theirs.tobytes():
                continue
            if is_measured and ours.dtype == np.float32 and name.endswith("_scale"):
                apart["scale"] = max(apart["scale"], float(np.max(np.abs(ours / theirs - 1))))
                continue
            if is_measured and ours.dtype in (np.int8, np.uint8) and name.endswith("_zero_point"):
                apart["zeroPoint"] = max(apart["zeroPoint"], int(np.max(np.abs(ours.astype(int) - theirs))))
                continue
            if is_measured and ours.dtype == np.int32 and name.endswith("_quantized"):
                steps = np.abs(ours.astype(np.int64) - theirs)
                apart["bias"] = max(apart["bias"], float(np.max(steps / np.maximum(1, np.abs(theirs.astype(np.int64))))))
                continue
        differ.append(f"weight {name}")
    return {"parts": len(tool_weights) + sum(tool_texts.values()), "differ": sorted(differ), "apart": apart}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("own")
    parser.add_argument("mode", choices=["dynamic", "weights", "static"])
    parser.add_argument("samples", nargs="?")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with TemporaryDirectory() as folder:
        tool = written(options.model, options.mode, options.samples, Path(folder, "tool.onnx"))
        own = onnx.load(options.own)
    result = compare(own, tool, options.mode == "static")
    print(json.dumps({**result, "differ": len(result["differ"]), "examples": [text[:200] for text in result["differ"][:5]]}))


if __name__ == "__main__":
    main()
