import { bodiesOf, type Graph, type Node, Tensor, typeText, type ValueId } from "../ir/index.js";
import { type Flow, flowOf } from "./flow.js";
import { type ResidualStream, residualStreams } from "./residual-streams.js";

/** One of several layers that compute the same with numbers of their own. What it gives is of the type of what it reads. */
export interface RepeatedLayer {
  /** Of the residual stream; what it reads besides, all of its kind do. */
  readonly input: ValueId;
  readonly output: ValueId;
}

/** How far apart equal steps are looked for at most. */
const longestPeriod = 512;
/** A layer may lie in a layer: so often every vertex may be looked at. */
const mostLooks = 64;

/**
 * Layers that repeat on a residual stream, in order of execution: the blocks of transformers, of residual networks. They
 * are found by what follows what, not by names: between two values of the stream the same operators with the same
 * attributes and integers, on constants of the same shapes, and beside the stream on the same values.
 */
export function repeatedLayers(graph: Graph): readonly RepeatedLayer[] {
  const flow = flowOf(graph);
  const steps = new StepNames(graph, flow);
  const taken = new Set<number>();
  const found: { readonly at: number; readonly layer: RepeatedLayer }[] = [];
  for (const stream of residualStreams(graph, flow)) {
    const { vertices, works } = stream;
    const ends = vertices.map((vertex) => steps.endAt(vertex));
    const opens = works.map((one, at) => one && ends[at] !== undefined);
    for (const { start, period, count } of repeats(steps.of(stream), opens)) {
      const inside = vertices
        .slice(start, start + count * period)
        .flatMap((from, index) => steps.within(from, vertices[start + index + 1] ?? from));
      // Layers within layers go with them.
      if (inside.some((vertex) => taken.has(vertex))) continue;
      for (const vertex of inside) taken.add(vertex);
      for (let from = start; from < start + count * period; from += period) {
        const [input, output] = [ends[from], ends[from + period]];
        if (input !== undefined && output !== undefined)
          found.push({ at: vertices[from + period] ?? 0, layer: { input, output } });
      }
    }
  }
  return found.sort((a, b) => a.at - b.at).map(({ layer }) => layer);
}

interface Repeat {
  readonly start: number;
  readonly period: number;
  readonly count: number;
}

/**
 * Where names repeat: the longest first, of equally long ones those of the shortest period, and none that overlaps another.
 * Each begins where a layer may.
 */
function repeats(names: readonly number[], opens: readonly boolean[]): readonly Repeat[] {
  const nextOpen = new Int32Array(names.length + 1).fill(names.length);
  for (let at = names.length - 1; at >= 0; at -= 1)
    nextOpen[at] = opens[at] === true ? at : (nextOpen[at + 1] ?? names.length);
  const found: Repeat[] = [];
  for (let period = 1; period <= Math.min(longestPeriod, names.length >> 1); period += 1) {
    let begun = 0;
    for (let at = 0; at <= names.length - period; at += 1) {
      if (at < names.length - period && names[at] === names[at + period]) continue;
      const start = nextOpen[begun] ?? names.length;
      const count = Math.floor((at + period - start) / period);
      if (count > 1) found.push({ start, period, count });
      begun = at + 1;
    }
  }
  found.sort((a, b) => b.count * b.period - a.count * a.period || a.period - b.period);
  const free = new Uint8Array(names.length).fill(1);
  return found.filter(({ start, period, count }) => {
    const steps = free.subarray(start, start + count * period);
    const isFree = steps.every((one) => one === 1);
    if (isFree) steps.fill(0);
    return isFree;
  });
}

/** Gives steps of streams the same number where they compute the same. */
class StepNames {
  readonly #graph: Graph;
  readonly #flow: Flow;
  readonly #numbers = new Map<string, number>();
  /** Of constants, which many nodes may read. */
  readonly #constants = new Map<Tensor, number>();
  #looks: number;

  constructor(graph: Graph, flow: Flow) {
    this.#graph = graph;
    this.#flow = flow;
    this.#looks = mostLooks * (flow.end + 1);
  }

  of({ vertices }: ResidualStream): readonly number[] {
    return vertices.slice(1).map((to, index) => this.#name(vertices[index] ?? 0, to));
  }

  /** The one value of a vertex that is read, where all of its type is known: there a layer may begin or end. */
  endAt(vertex: number): ValueId | undefined {
    const node = this.#flow.nodeAt(vertex);
    const values = node?.outputs ?? this.#flow.inputs.slice(vertex, vertex + 1);
    const [value, other] = values.filter((id) => id !== null && this.#isRead(id));
    if (value === null || value === undefined || other !== undefined) return undefined;
    const { type } = this.#graph.value(value);
    return type.kind === "tensor" && type.shape !== undefined ? value : undefined;
  }

  /** What a step consists of, in order of execution: its end, and all that is read within the step alone. */
  within(from: number, to: number): readonly number[] {
    const { readers, sources, inputs } = this.#flow;
    const waiting = new Map<number, number>();
    const inside = [to];
    for (let next = 0; next < inside.length && this.#looks > 0; next += 1)
      for (const source of sources[inside[next] ?? 0] ?? []) {
        this.#looks -= 1;
        if (source === from || source < inputs.length) continue;
        const left = (waiting.get(source) ?? readers[source]?.length ?? 0) - 1;
        waiting.set(source, left);
        if (left === 0) inside.push(source);
      }
    return inside.sort((a, b) => a - b);
  }

  #name(from: number, to: number): number {
    const inside = this.within(from, to);
    if (this.#looks <= 0) return this.#number(["not looked at", to]);
    const known = new Map<number, number>();
    for (const vertex of inside) {
      const node = this.#flow.nodeAt(vertex);
      if (node !== undefined) known.set(vertex, this.#number(this.#computation(node, from, known)));
    }
    const types = [from, to].map((vertex) => {
      const value = this.endAt(vertex);
      return value === undefined ? null : typeText(this.#graph.value(value).type);
    });
    return this.#number([known.get(to), types]);
  }

  #computation(node: Node, from: number, known: ReadonlyMap<number, number>): readonly unknown[] {
    const attributes = [...node.attributes].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      node.domain,
      node.op,
      node.overload,
      attributes.map(([name, { type, value }]) => [name, type, plain(value)]),
      node.inputs.map((id) => (id === null ? null : this.#operand(id, from, known))),
      // Bodies are not compared: such a node is like no other.
      bodiesOf(node).length > 0 ? node.id : null,
    ];
  }

  #operand(id: ValueId, from: number, known: ReadonlyMap<number, number>): unknown {
    const constant = this.#graph.constant(id);
    if (constant !== undefined) return ["constant", this.#constantNumber(constant)];
    const vertex = this.#flow.vertexOf(id);
    if (vertex === undefined) return ["value", id];
    const output = this.#flow.nodeAt(vertex)?.outputs.indexOf(id) ?? 0;
    if (vertex === from) return ["stream", output];
    const number = known.get(vertex);
    return number === undefined ? ["value", id] : [number, output];
  }

  #constantNumber(constant: Tensor): number {
    const known = this.#constants.get(constant);
    if (known !== undefined) return known;
    const number = this.#number(constantText(constant));
    this.#constants.set(constant, number);
    return number;
  }

  #number(content: readonly unknown[]): number {
    const text = JSON.stringify(content);
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#numbers.size);
    return this.#numbers.size - 1;
  }

  #isRead(value: ValueId): boolean {
    return this.#graph.value(value).uses.length > 0;
  }
}

/** Floats were learned, and differ; whole numbers are shapes, axes and indices, which decide what is computed. */
function constantText(tensor: Tensor): readonly unknown[] {
  const { dtype, dims, data } = tensor;
  const decides = dtype === "int64" || dtype === "bool";
  return [dtype, dims, decides && data !== undefined ? Array.from(data, String) : null];
}

function plain(value: unknown): unknown {
  if (value instanceof Tensor) return [constantText(value), Array.from(value.data ?? [], String)];
  if (typeof value === "bigint" || typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Uint8Array) return Array.from(value);
  return typeof value === "string" ? value : null;
}
