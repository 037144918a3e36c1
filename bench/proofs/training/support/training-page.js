// Trains a model that lies beside the page on samples that do, and tells the losses and the file in one POST.
import {
  decodeModel,
  distill,
  distillGraph,
  encodeModel,
  inferNode,
  randomOf,
} from "../../../../compiler/dist/index.js";
import { wasm } from "../../../../runtime/dist/backends/ort-web.js";
import { byteSource } from "../../../../runtime/dist/format/index.js";

const told = { agent: navigator.userAgent, history: [], bytes: "", error: null };
try {
  const { options, seed, labels, dims } = await (await fetch("training.json")).json();
  const proto = byteSource(await bytesOf("start.onnx"));
  const graph = await decodeModel({ proto, external: new Map() }, { infer: inferNode });
  const all = new Float32Array((await bytesOf("samples.f32")).buffer);
  const size = dims.reduce((product, each) => product * each, 1);
  const examples = {
    executor: wasm({ threads: 1, wasmPaths: "/ort/" }),
    count: labels.length,
    async *read() {
      for (const [index, label] of labels.entries()) {
        const data = all.slice(index * size, (index + 1) * size);
        yield { feeds: { x: { type: "float32", dims, data } }, label };
      }
    },
  };
  const { history } = await distillGraph(graph, distill.parse(options), {
    examples,
    engine: "wasm",
    random: (name) => randomOf(seed, name),
  });
  told.history = history;
  const { proto: written } = await encodeModel(graph);
  told.bytes = btoa(Array.from(written, (byte) => String.fromCharCode(byte)).join(""));
} catch (error) {
  told.error = `${error} ${error.stack}`;
}
await fetch("told", { method: "POST", body: JSON.stringify(told) });

async function bytesOf(path) {
  return new Uint8Array(await (await fetch(path)).arrayBuffer());
}
