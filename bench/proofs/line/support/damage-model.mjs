// node damage-model.mjs FILE: shifts a classifier's last bias in favour of one class, so that some answers change.
import { readFileSync, writeFileSync } from "node:fs";
import {
  decodeModel,
  edit,
  encodeModel,
  inferNode,
  Tensor,
} from "../../../../compiler/dist/index.js";
import { byteSource } from "../../../../runtime/dist/format/index.js";

const [file] = process.argv.slice(2);
const bytes = new Uint8Array(readFileSync(file));
const graph = await decodeModel(
  { proto: byteSource(bytes), external: new Map() },
  { infer: inferNode },
);
const last = graph.order().at(-1);
const bias = last.inputs[2];
const values = Float32Array.from(await graph.constant(bias).readFloat32());
values[3] += 8;
edit(graph, "damage", (editor) =>
  editor.setConstant(bias, Tensor.float32([values.length], values)),
);
writeFileSync(file, (await encodeModel(graph)).proto);
