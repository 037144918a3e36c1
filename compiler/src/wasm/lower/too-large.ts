import { dtypeBytes } from "@pare/runtime/format";
import { type Graph, type Value, shapeOf } from "../../ir/index.js";
import { floatBytes } from "../kernels/kernel.js";
import type { Plan } from "../plan/plan.js";
import { lowerings } from "./lowerings.js";
import { NodeFacts } from "./node-facts.js";
import type { Refusal } from "./refusals.js";

/** WebAssembly addresses memory by 32 bits; engines give a module less. */
export const mostMemory = 2 ** 31;

/**
 * Said of weights, and tables that are made, which would not fit into a module's memory; nothing of them is read or made.
 * Undefined where they fit.
 */
export function tooManyWeights(graph: Graph): Refusal | undefined {
  const weights = [...weightsOf(graph), ...decodedIn(graph), ...tablesOf(graph)];
  const bytes = sum(weights.map(({ bytes: own }) => own));
  return bytes < mostMemory ? undefined : refusal("weights", bytes, weights);
}

/** Said of a plan that needs more memory than there is, with what takes most of it; undefined where it fits. */
export function overMemory({ buffers }: Plan, memoryBytes: number): Refusal | undefined {
  return memoryBytes <= mostMemory ? undefined : refusal("tensors", memoryBytes, buffers);
}

/** Bytes of the weights and of every tensor of a graph of fixed sizes; a module's memory shares and pads some of them. */
export function leastMemory(graph: Graph): number {
  const tensors = [...graph.allValues()].filter(({ constant }) => constant === undefined);
  const counts = tensors.map(({ id }) =>
    (shapeOf(graph, id) ?? []).reduce<number>((product, size) => product * Number(size), 1),
  );
  const constants = [...weightsOf(graph), ...tablesOf(graph)];
  return sum(constants.map(({ bytes }) => bytes)) + floatBytes * sum(counts);
}

interface Sized {
  readonly name: string;
  readonly bytes: number;
}

function weightsOf(graph: Graph): readonly Sized[] {
  return [...graph.allValues()].flatMap(({ name, constant }: Value) =>
    constant === undefined || constant.dtype === "string"
      ? []
      : [{ name, bytes: dtypeBytes(constant.dtype, constant.count) }],
  );
}

/** Floats of weights that are stored as integers: they are made to be lowered, whatever comes of them. */
function decodedIn(graph: Graph): readonly Sized[] {
  return graph.order().flatMap((node) => {
    const { count } = graph.constant(node.inputs[0]) ?? {};
    return node.op === "DequantizeLinear" && count !== undefined
      ? [{ name: graph.nodeLabel(node), bytes: floatBytes * count }]
      : [];
  });
}

/** What rows make beside the weights that the model has. */
function tablesOf(graph: Graph): readonly Sized[] {
  return graph.order().flatMap((node) => {
    const row = node.domain === "" ? lowerings.get(node.op) : undefined;
    const bytes = row?.constantBytes?.(new NodeFacts(graph, node)) ?? 0;
    return bytes > 0 ? [{ name: graph.nodeLabel(node), bytes }] : [];
  });
}

function refusal(what: string, bytes: number, parts: readonly Sized[]): Refusal {
  const largest = [...parts].sort((a, b) => b.bytes - a.bytes).slice(0, 3);
  return {
    kind: "memory",
    what,
    why: `the model takes ${mebibytes(bytes)} MiB, and a module has ${mebibytes(mostMemory)}`,
    where: largest.map(({ name, bytes: own }) => `${name}: ${mebibytes(own)} MiB`),
    count: parts.length,
  };
}

function mebibytes(bytes: number): number {
  return Math.ceil(bytes / 2 ** 20);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
