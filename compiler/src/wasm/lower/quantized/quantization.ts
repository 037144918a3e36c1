import type { Dtype } from "@pare/runtime/format";
import type { Graph, Node, ValueId } from "../../../ir/index.js";
import { dtypeOf } from "../node-facts.js";
import { movesStoredBytes } from "./moved-bytes.js";

/** How a QuantizeLinear or DequantizeLinear goes between numbers and integers: real = scale × (q − zero point). */
export interface Steps {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly dtype: Dtype;
}

/** Is it an operator of ai.onnx? */
export function isPlain(node: Node | undefined, op: string): boolean {
  return node?.op === op && node.domain === "";
}

/** One constant scale and zero point for all of a tensor; undefined where there are others, or none that are constant. */
export function stepsOf(graph: Graph, node: Node): Steps | undefined {
  const [, scaleId, zeroId] = node.inputs;
  const scales = graph.constant(scaleId)?.numbers();
  const dtype = dtypeOf(
    graph,
    (node.op === "QuantizeLinear" ? node.outputs : node.inputs)[0] ?? noValue,
  );
  const [scale] = scales ?? [];
  if (scale === undefined || scales?.length !== 1 || dtype === undefined) return undefined;
  if (!(scale > 0 && Number.isFinite(scale))) return undefined;
  if (zeroId === null || zeroId === undefined) return { scale, zeroPoint: 0, dtype };
  const zeros = graph.constant(zeroId)?.numbers();
  const [zeroPoint] = zeros ?? [];
  return zeroPoint === undefined || zeros?.length !== 1 ? undefined : { scale, zeroPoint, dtype };
}

const noValue = -1 as ValueId;

/** Numbers as bytes: what a value holds, and what stands for it. */
export interface Encoded {
  readonly bytes: ValueId;
  readonly scale: number;
  readonly zeroPoint: number;
  /** The largest byte that occurs. */
  readonly most: number;
}

/** A value that is made of unsigned bytes, of one scale, by nothing but scaling; undefined for any other. */
export function encodedBy(graph: Graph, id: ValueId | undefined): Encoded | undefined {
  const maker = graph.producer(id);
  const [bytes] = maker?.inputs ?? [];
  if (maker === undefined || bytes === null || bytes === undefined) return undefined;
  if (!isPlain(maker, "DequantizeLinear")) return undefined;
  const steps = stepsOf(graph, maker);
  if (steps?.dtype !== "uint8" || graph.constant(bytes) !== undefined) return undefined;
  return { bytes, scale: steps.scale, zeroPoint: steps.zeroPoint, most: mostOf(graph, bytes) };
}

/** How many steps a value is from 0 at most. */
export function farthest({ most, zeroPoint }: Encoded): number {
  return Math.max(most - zeroPoint, zeroPoint);
}

/** Of how many values a bound is looked for. */
const mostValues = 64;

/** The largest byte that a value can have: a Clip says so, and what only moves bytes or adds others keeps it. */
export function mostOf(graph: Graph, id: ValueId): number {
  const reached = new Set([id]);
  let most = 0;
  for (const each of reached) {
    const maker = graph.producer(each);
    if (maker === undefined || maker.domain !== "" || reached.size > mostValues) return 255;
    if (maker.op === "Clip") {
      const [, high] = byteBounds(graph, maker) ?? [0, 255];
      most = Math.max(most, high);
      continue;
    }
    if (!keepsBytes.has(maker.op)) return 255;
    const [, , byte] = maker.inputs;
    const isAdding = maker.op === "Pad" && !isLeftOut(byte);
    if (isAdding) most = Math.max(most, graph.constant(byte)?.numbers()?.[0] ?? 255);
    const parts = maker.op === "Concat" ? maker.inputs : maker.inputs.slice(0, 1);
    for (const part of parts) if (part !== null) reached.add(part);
  }
  return most;
}

export function isLeftOut(id: ValueId | null | undefined): id is null | undefined {
  return id === null || id === undefined;
}

/** Operators whose bytes are bytes of what they read; a Pad's also the one that it adds. */
const keepsBytes: ReadonlySet<string> = new Set([...movesStoredBytes, "Pad", "MaxPool", "Concat"]);

/** Between which bytes a Clip of bytes keeps them: of bounds in the wrong order the upper one holds. */
export function byteBounds(graph: Graph, node: Node): readonly [number, number] | undefined {
  const bound = (at: number, none: number): number | undefined => {
    const id = node.inputs[at];
    if (id === null || id === undefined) return none;
    const numbers = graph.constant(id)?.numbers();
    return numbers?.length === 1 ? numbers[0] : undefined;
  };
  const [low, high] = [bound(1, 0), bound(2, 255)];
  return low === undefined || high === undefined ? undefined : [Math.min(low, high), high];
}
