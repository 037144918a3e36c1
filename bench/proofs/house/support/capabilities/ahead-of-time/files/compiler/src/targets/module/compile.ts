import { PareError } from "@pare/runtime/format";
import { attributeReader } from "../../ops/index.js";
import { type Graph, isStatic, type ValueId } from "../../ir/index.js";
import { type Code, locals, unsigned } from "./code.js";
import { kernelFor, obstacle, type Place } from "./kernels.js";

const pageBytes = 65_536;

/**
 * A graph of static shapes as a module of its own: weights in the data segment, every tensor at its place, one function
 * that computes. The section `pare` says where inputs and outputs lie.
 * @throws PareError UNSUPPORTED_OP naming the first node that has no kernel
 */
export async function compileModule(graph: Graph): Promise<Uint8Array<ArrayBuffer>> {
  const places = new Map<ValueId, Place>();
  const data: Uint8Array[] = [];
  let end = 0;
  const reserve = (dims: readonly number[]): Place => {
    const place = { at: end, dims };
    end += 4 * dims.reduce((product, size) => product * size, 1);
    return place;
  };
  for (const node of graph.order()) {
    for (const id of node.inputs) {
      const tensor = graph.constant(id);
      if (id === null || tensor?.dtype !== "float32" || places.has(id)) continue;
      places.set(id, reserve(tensor.dims));
      data.push(new Uint8Array((await tensor.readFloat32()).slice().buffer));
    }
  }
  for (const id of graph.main.inputs)
    if (graph.constant(id) === undefined) places.set(id, reserve(dimsOf(graph, id)));
  const code: number[] = [];
  for (const node of graph.order()) {
    const kernel = kernelFor(node.op, node.domain);
    const why = kernel === undefined ? "no kernel" : obstacle(node);
    if (kernel === undefined || why !== null) {
      const message = `${graph.nodeLabel(node)} cannot be compiled: ${why}.`;
      throw new PareError("UNSUPPORTED_OP", message, { where: graph.nodeLabel(node) });
    }
    const [output] = node.outputs;
    if (output === null || output === undefined) continue;
    const inputs = node.inputs.map((id) => (id === null ? null : (places.get(id) ?? null)));
    const dims = dimsOf(graph, output);
    const place = kernel === null ? { at: inputs[0]?.at ?? 0, dims } : reserve(dims);
    places.set(output, place);
    const attributes = attributeReader(node.attributes);
    if (kernel !== null) code.push(...kernel({ inputs, output: place, attributes }));
  }
  const described = (id: ValueId): object => {
    const { at, dims } = places.get(id) ?? { at: 0, dims: [] };
    return { name: graph.value(id).name, type: "float32", dims, at };
  };
  const pages = Math.ceil(end / pageBytes);
  const layout = {
    pages,
    inputs: graph.main.inputs.filter((id) => graph.constant(id) === undefined).map(described),
    outputs: graph.main.outputs.map(described),
  };
  return moduleOf(code, data, pages, layout);
}

function dimsOf(graph: Graph, id: ValueId): readonly number[] {
  const { type, name } = graph.value(id);
  const shape = type.kind === "tensor" && type.dtype === "float32" ? type.shape : undefined;
  if (shape !== undefined && isStatic(shape)) return shape;
  throw new PareError("UNSUPPORTED_OP", `"${name}" is no float32 tensor of a fixed shape.`, {
    where: name,
    hint: "Give --shape or --dim.",
  });
}

function moduleOf(
  code: Code,
  data: readonly Uint8Array[],
  pages: number,
  layout: object,
): Uint8Array<ArrayBuffer> {
  const body = Uint8Array.from([...locals, ...code, 0x0b]);
  const constants = joined(data);
  const parts = [
    Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
    section(0, text("pare"), new TextEncoder().encode(JSON.stringify(layout))),
    section(1, [1, 0x60, 0, 0]),
    section(2, [1, ...text("pare"), ...text("memory"), 2, 0, ...unsigned(pages)]),
    section(3, [1, 0]),
    section(7, [1, ...text("run"), 0, 0]),
    section(10, [1, ...unsigned(body.length)], body),
    section(11, [1, 0, 0x41, 0, 0x0b, ...unsigned(constants.length)], constants),
  ];
  return joined(parts);
}

function section(id: number, head: Code, content: Uint8Array = new Uint8Array()): Uint8Array {
  const start = Uint8Array.from(head);
  return joined([
    Uint8Array.from([id, ...unsigned(start.length + content.length)]),
    start,
    content,
  ]);
}

function text(value: string): Code {
  const bytes = new TextEncoder().encode(value);
  return [...unsigned(bytes.length), ...bytes];
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
