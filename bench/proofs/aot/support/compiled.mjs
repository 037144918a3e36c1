// Known models with their sizes fixed, as modules and as ONNX files.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { cpu } from "../../../../runtime/dist/backends/ort-node.js";
import { wasm } from "../../../../runtime/dist/backends/ort-web.js";
import { byteSource, dtypeArray, onnxArtifact } from "../../../../runtime/dist/format/index.js";
import {
  encodeModel,
  findPass,
  findTarget,
  importModel,
  saturates,
  supportOf,
} from "../../../../compiler/dist/index.js";

/** What a model's inputs are fixed to, by a part of its name; the first that fits. */
const fixed = [
  [/mnist[-_]cnn/, { dims: { N: 1 } }],
  [/ocr-direction|_cls_infer/, { shapes: { x: [1, 3, 48, 192] } }],
  [/ocr-recognition|_rec_infer/, { shapes: { x: [1, 3, 48, 320] } }],
  [/_det_infer/, { shapes: { x: [1, 3, 320, 320] } }],
  [
    /silero[-_]vad[-_]v[56]/,
    { shapes: { input: [1, 576], state: [2, 1, 128] }, constants: { sr: 16_000 } },
  ],
  [
    /silero[-_]vad[-_]legacy/,
    { shapes: { input: [1, 1536], h: [2, 1, 64], c: [2, 1, 64] }, constants: { sr: 16_000 } },
  ],
  [/centerface/, { shapes: { "input.1": [1, 3, 320, 320] } }],
];

/** What a model takes that is not about −1 to 1, by a part of its name: bytes of images, which it scales itself. */
const ranges = [[/mlsd/, [0, 255]]];

/** `{ shapes, dims, constants }`, as far as a model leaves them open. */
export function sizesOf(name) {
  const [, sizes = {}] = fixed.find(([pattern]) => pattern.test(name)) ?? [];
  return sizes;
}

export function rangeOf(name) {
  return ranges.find(([pattern]) => pattern.test(name))?.[1] ?? [-1, 1];
}

/** A batch is one, any other free size this. */
const usualSize = 64;

/** A simplified graph from a file, every input of a fixed size: of `sizes`, or as models of its name usually have it. */
export async function fixedGraph({ name, path, sizes }) {
  const main = byteSource(new Uint8Array(readFileSync(path)));
  const graph = await importModel({ name: basename(path), main, beside: new Map() });
  const [, known] = fixed.find(([pattern]) => pattern.test(name)) ?? [];
  const bind = findPass("bind-shapes");
  await bind.create(bind.parse(sizes ?? known ?? { shapes: usualShapes(graph) })).run(graph, {});
  // With the branches gone that its constants rule out: the engine looks at them all.
  await findPass("simplify").create({}).run(graph, {});
  return graph;
}

function usualShapes(graph) {
  const shapes = {};
  for (const id of graph.main.inputs) {
    const { name, type, constant } = graph.value(id);
    if (constant !== undefined || type.kind !== "tensor" || type.shape === undefined) continue;
    const isFree = type.shape.some((size) => typeof size !== "number");
    if (!isFree) continue;
    shapes[name] = type.shape.map((size, axis) =>
      typeof size === "number" ? size : axis === 0 ? 1 : usualSize,
    );
  }
  return shapes;
}

/** Does it compute in floats? What holds integers of a quantizer is another matter. */
export function isFloatModel(graph) {
  return ![...graph.allNodes()].some(({ op }) => /Quantize|Integer$|^QLinear/.test(op));
}

/** Why the graph cannot be compiled: every reason. Empty where it can. */
export async function reasonsOf(graph) {
  const { obstacles } = await supportOf(graph, findTarget("aot"));
  return obstacles.map(({ op, reason, count }) => `${count} × ${op}: ${reason}`);
}

export async function asModule(graph) {
  return findTarget("aot").emit(graph, {});
}

export async function asOnnx(graph, session) {
  const { proto } = await encodeModel(graph);
  return onnxArtifact(proto, session);
}

/** Of a module's files, those with code; the others are weights. */
export function isModule({ bytes }) {
  return bytes[0] === 0 && bytes[1] === 0x61;
}

/** What onnxruntime answers; of integers as WebAssembly where its own products saturate on this processor. */
export async function outputsOfEngine(graph, feeds, session) {
  const backend = isFloatModel(graph) ? cpu() : await exactEngine();
  const engine = await backend.load(await asOnnx(graph, session));
  try {
    return await engine.run(feeds);
  } finally {
    await engine.dispose();
  }
}

let exact;

function exactEngine() {
  return (exact ??= saturates(cpu()).then((saturating) => (saturating ? wasm({ threads: 1 }) : cpu()))); // prettier-ignore
}

/** Noise for inputs of fixed sizes, the same for the same seed; integers, of which some are indices, are 0 or 1. */
export function noiseFor(inputs, seed, [least, most] = [-1, 1]) {
  return Object.fromEntries(
    inputs.map(({ name, type, dims }, at) => {
      let state = (seed * 7919 + at * 104729 + 1) | 0;
      const count = dims.reduce((product, size) => product * size, 1);
      const data = Float32Array.from({ length: count }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        return (state >> 8) / 2 ** 23;
      });
      const inRange = () => data.map((x) => least + ((x + 1) / 2) * (most - least));
      return [name, { type, dims, data: type === "float32" ? inRange() : integersOf(type, data) }];
    }),
  );
}

/** The same feeds with every float one rounding nearer to 0 or further from it, the same for the same seed. */
export function movedByRounding(feeds, seed) {
  let state = seed * 7919 + 1;
  const move = (x) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return x * (1 + (state < 0 ? -1 : 1) * 2 ** -23);
  };
  const moved = Object.entries(feeds).map(([name, feed]) => [
    name,
    feed.type === "float32" ? { ...feed, data: feed.data.map(move) } : feed,
  ]);
  return Object.fromEntries(moved);
}

function integersOf(type, noise) {
  const isWide = type === "int64" || type === "uint64";
  const bits = [...noise].map((x) => (x > 0 ? 1 : 0));
  return dtypeArray[type].from(isWide ? bits.map(BigInt) : bits);
}

/** Inputs of a graph as engines report them. */
export function inputsOf(graph) {
  return graph.main.inputs.flatMap((id) => {
    const { name, type, constant } = graph.value(id);
    return constant !== undefined
      ? []
      : [{ name, type: type.dtype, dims: (type.shape ?? []).map(Number) }];
  });
}
