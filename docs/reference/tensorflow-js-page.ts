import { layers } from "../../compiler/src/tfjs/layers/table.js";
import { operators } from "../../compiler/src/tfjs/operators/table.js";

/** `tensorflow-js.md`: which operators and layers of TensorFlow.js are read. */
export function tensorflowJsPage(): string {
  return [
    "# TensorFlow.js",
    "",
    "`model.json` of TensorFlow.js is a model wherever an ONNX file is one ([how to](../guides/from-tensorflow-js.md)): its weights",
    "lie beside it in the files that it names. What is listed here is read, as TensorFlow.js computes it; a row may refuse an",
    "option, and says which. What a file has besides is named all at once, with its nodes.",
    "",
    "- **Weights** may be stored in fewer bits (`float16`, `uint8`, `uint16` with a scale): they are floats once they are read.",
    "- **Types** are those of TensorFlow.js: every float is `float32`, every integer `int32`.",
    "- **Channels** lie last. Once simplified a model has them first inside, as engines want them; what goes in and comes out lies as",
    "  it did.",
    "- **Sizes** that a file leaves open are called `batch`, `height`, `width`, `length`, for `--dim`.",
    "",
    "## Operators of graph models",
    "",
    "What `tensorflowjs_converter` writes of a SavedModel, a Hub module or a frozen graph. Loops and branches (`While`, `If`,",
    "`Switch`, `Enter`), tensor arrays, hash tables and texts are not read.",
    "",
    list(operators),
    "",
    "## Layers of layers models",
    "",
    "What `model.save()` of TensorFlow.js writes, `tensorflowjs_converter` of a Keras file, and Teachable Machine: models of layers in a row or",
    "in a graph, nested, shared, with several inputs and outputs, with masks. Recurrent layers that keep their state from",
    "one call to the next are refused, and so are layers of your own.",
    "",
    list(layers),
    "",
  ].join("\n");
}

function list(table: ReadonlyMap<string, unknown>): string {
  const keys = [...table.keys()].sort().map((key) => `\`${key}\``);
  return `${keys.length}: ${keys.join(", ")}.`;
}
