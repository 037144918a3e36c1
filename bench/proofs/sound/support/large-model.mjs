// A model that is larger than one ONNX file may be: its weights lie beside it, as exporters put them.
import { createWriteStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  build,
  dim,
  encodeModel,
  inferNode,
  newHeader,
  randomOf,
  Tensor,
  tensorType,
} from "../../../../compiler/dist/index.js";

const [layers, width] = [36, 4096];

/** Dense layers as wide as a language model's, with weights as training begins; gives the files. */
export async function writeLargeModel(folder) {
  const graph = build(newHeader(17), inferNode, (editor) => {
    let value = editor.addInput("x", tensorType("float32", [dim.symbol("N"), width]));
    for (let layer = 0; layer < layers; layer += 1) {
      const weights = Tensor.lazy("float32", [width, width], async () => drawn(layer));
      const product = editor.add1("MatMul", [value, editor.constant(`w${layer}`, weights)]);
      value = editor.add1("Relu", [product]);
    }
    editor.rename(value, "y");
    editor.addOutput(value);
  });
  const location = "large.data";
  const { proto, external } = await encodeModel(graph, { external: { location } });
  const [path, beside] = ["large.onnx", location].map((name) => join(folder, name));
  writeFileSync(path, proto);
  for (const { content } of external.values())
    await pipeline(Readable.from(content()), createWriteStream(beside));
  return { path, beside };
}

/** Sums of four uniform numbers, near enough to what layers are initialized with. */
function drawn(layer) {
  const random = randomOf(1, `layer ${layer}`);
  const values = new Float32Array(width * width);
  const scale = Math.sqrt(3 / width);
  for (let at = 0; at < values.length; at += 1)
    values[at] = scale * (random() + random() + random() + random() - 2);
  return values;
}
