// A few connected nodes of a model as a model of its own: what a rule sees, in a context that somebody really wrote.
import { readFileSync } from "node:fs";
import { readMessage } from "../../../../../compiler/dist/onnx/index.js";
import { codeOfDtype, importModel } from "../../../../../compiler/dist/index.js";
import { byteSource } from "../../../../../runtime/dist/format/index.js";

/** Constants of a window beyond this are most of its time. */
const mostConstantBytes = 2 ** 20;
/** Numbers of all values together, where free sizes are 3. */
const mostNumbers = 2 ** 19;

/**
 * A model to cut from: its messages, and the type of each value as Pare infers it.
 * @returns null where it has no nodes, or functions of its own
 */
export async function openSeed(path) {
  const bytes = readFileSync(path);
  const model = await readMessage("ModelProto", byteSource(bytes));
  if (model.graph === undefined || (model.functions ?? []).length > 0) return null;
  const nodes = model.graph.node ?? [];
  if (nodes.length === 0) return null;
  const graph = await importModel({
    name: "seed.onnx",
    main: byteSource(bytes),
    beside: new Map(),
  });
  const types = new Map();
  for (const value of graph.allValues())
    if (value.name !== "" && value.body === graph.main.id) types.set(value.name, value.type);
  const constants = new Map((model.graph.initializer ?? []).map((tensor) => [tensor.name, tensor]));
  const makers = new Map();
  const readers = new Map();
  for (const [at, node] of nodes.entries()) {
    for (const name of node.output ?? []) if (name !== "") makers.set(name, at);
    for (const name of readBy(node)) {
      if (!readers.has(name)) readers.set(name, []);
      readers.get(name).push(at);
    }
  }
  return { model, nodes, types, constants, makers, readers };
}

/** What a node reads, its bodies included. */
function readBy(node) {
  const names = new Set((node.input ?? []).filter((name) => name !== ""));
  for (const { g, graphs } of node.attribute ?? [])
    for (const body of [...(g === undefined ? [] : [g]), ...(graphs ?? [])]) {
      const own = new Set([
        ...(body.input ?? []).map(({ name }) => name),
        ...(body.initializer ?? []).map(({ name }) => name),
        ...(body.node ?? []).flatMap((inner) => inner.output ?? []),
      ]);
      for (const inner of body.node ?? [])
        for (const name of readBy(inner)) if (!own.has(name)) names.add(name);
      for (const { name } of body.output ?? []) if (!own.has(name)) names.add(name);
    }
  return names;
}

/** @returns a model of up to `count` nodes around one, or null where its inputs are no tensors, or too large */
export async function cutWindow(seed, count, random) {
  const { nodes, makers, readers, constants, types } = seed;
  const chosen = new Set([random.below(nodes.length)]);
  const edges = () =>
    [...chosen].flatMap((at) => [
      ...[...readBy(nodes[at])].map((name) => makers.get(name)),
      ...(nodes[at].output ?? []).flatMap((name) => readers.get(name) ?? []),
    ]);
  while (chosen.size < count) {
    const next = [...new Set(edges())].filter((at) => at !== undefined && !chosen.has(at));
    if (next.length === 0) break;
    chosen.add(random.of(next));
  }
  // A constant that a node writes is a constant to whoever reads it.
  for (const at of new Set(chosen))
    for (const name of readBy(nodes[at])) {
      const maker = makers.get(name);
      if (maker !== undefined && nodes[maker].opType === "Constant") chosen.add(maker);
    }
  const picked = [...chosen].sort((a, b) => a - b).map((at) => ownNode(nodes[at]));
  const made = new Set(picked.flatMap((node) => node.output ?? []));
  const read = new Set(picked.flatMap((node) => [...readBy(node)]));
  const initializer = [];
  const input = [];
  for (const name of read) {
    if (made.has(name)) continue;
    const constant = constants.get(name);
    if (constant !== undefined) initializer.push(await inMemory(constant));
    else input.push(name);
  }
  const bytes = initializer.reduce((sum, { rawData }) => sum + (rawData?.length ?? 0), 0);
  if (bytes > mostConstantBytes) return null;
  const output = [...made].filter(
    (name) =>
      name !== "" &&
      (!read.has(name) ||
        (readers.get(name) ?? []).some((at) => !chosen.has(at) && random.chance(0.2))),
  );
  const infos = [];
  for (const name of input) {
    const info = infoOf(name, types.get(name));
    if (info === null) return null;
    infos.push(info);
  }
  let numbers = 0;
  for (const name of [...input, ...made]) numbers += countOf(types.get(name));
  if (numbers > mostNumbers) return null;
  return {
    irVersion: seed.model.irVersion ?? 8n,
    opsetImport: seed.model.opsetImport,
    graph: {
      name: "window",
      node: picked,
      initializer,
      input: infos,
      output: output.map((name) => ({ name, ...typeOf(types.get(name)) })),
    },
  };
}

/** What is changed of it is not changed of the model that it is cut from. */
const ownNode = (node) => ({
  ...node,
  input: [...(node.input ?? [])],
  output: [...(node.output ?? [])],
  attribute: (node.attribute ?? []).map((attribute) => ({
    ...attribute,
    ...(attribute.ints !== undefined && { ints: [...attribute.ints] }),
    ...(attribute.t !== undefined && { t: { ...attribute.t } }),
  })),
});

/** With its numbers in `rawData`, whatever field floats and integers lay in. */
async function inMemory({ floatData, int64Data, int32Data, rawData, ...tensor }) {
  const dims = [...(tensor.dims ?? [])];
  const raw = (array) => ({ ...tensor, dims, rawData: new Uint8Array(array.buffer) });
  if (rawData instanceof Uint8Array) return { ...tensor, dims, rawData: Uint8Array.from(rawData) };
  if (rawData !== undefined) return { ...tensor, dims, rawData: await rawData.read() };
  if (tensor.dataType === 1) return raw(Float32Array.from(floatData ?? []));
  if (tensor.dataType === 7) return raw(BigInt64Array.from(int64Data ?? []));
  if (tensor.dataType === 6) return raw(Int32Array.from(int32Data ?? []));
  return { ...tensor, dims, ...(floatData && { floatData }), ...(int32Data && { int32Data }) };
}

function typeOf(type) {
  if (type?.kind !== "tensor" || type.dtype === undefined) return {};
  return { type: { tensorType: { elemType: codeOfDtype(type.dtype) } } };
}

function infoOf(name, type) {
  const { type: proto } = typeOf(type);
  if (proto === undefined || type.shape === undefined) return null;
  const dim = type.shape.map((size) =>
    typeof size === "number" ? { dimValue: BigInt(size) } : { dimParam: String(size) },
  );
  return { name, type: { tensorType: { ...proto.tensorType, shape: { dim } } } };
}

function countOf(type) {
  if (type?.kind !== "tensor" || type.shape === undefined) return 0;
  return type.shape.reduce((count, size) => count * (typeof size === "number" ? size : 3), 1);
}
