"""Models as PyTorch's two exporters write them, each with its inputs and what PyTorch answers beside it."""

import json
import logging
import re
import warnings
from pathlib import Path

import torch

warnings.filterwarnings("ignore")
logging.disable(logging.ERROR)


def listed(tensor):
    floating = tensor.is_floating_point()
    dtype = "float32" if floating else "int64"
    data = tensor.detach().flatten().tolist()
    return {"type": dtype, "dims": list(tensor.shape), "data": data}


def export(path, module, inputs, free, by_tracing):
    names, values = list(inputs), tuple(inputs.values())
    if by_tracing:
        torch.onnx.export(
            module, values, path, input_names=names, dynamo=False, dynamic_axes=free, opset_version=17
        )
        return
    shapes = None
    if free:
        dynamic = torch.export.Dim.DYNAMIC
        shapes = tuple({axis: dynamic for axis in free.get(name, {})} or None for name in names)
    torch.onnx.export(
        module,
        values,
        path,
        input_names=names,
        dynamo=True,
        dynamic_shapes=shapes,
        external_data=False,
        verbose=False,
    )


def write_all(builders, folder, exporters=("dynamo", "tracing")):
    """Prints a line of JSON for each file: its name, or why it could not be written."""
    for build in builders:
        torch.manual_seed(0)
        module, inputs, free = build()
        module.eval()
        with torch.no_grad():
            answers = module(*inputs.values())
        answers = answers if isinstance(answers, tuple) else (answers,)
        for exporter in exporters:
            for sizes in [{}, free] if free else [{}]:
                name = f"{build.__name__}, {exporter}{', free sizes' if sizes else ''}"
                path = folder / f"{name.replace(', ', '-').replace(' ', '-')}.onnx"
                try:
                    export(str(path), module, inputs, sizes, exporter == "tracing")
                except Exception as error:  # Of any kind: exporters raise what they like.
                    path.unlink(missing_ok=True)
                    said = re.sub(r"\x1b\[\d+m", "", str(error).splitlines()[0])
                    print(json.dumps({"name": name, "error": said[:100]}))
                    continue
                given = {one: listed(value) for one, value in inputs.items()}
                expected = [listed(value) for value in answers]
                Path(f"{path}.json").write_text(json.dumps({"inputs": given, "outputs": expected}))
                print(json.dumps({"name": name, "file": path.name}), flush=True)
