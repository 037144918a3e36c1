import { type Graph, type Node, type ValueId } from "../ir/index.js";
import { operatorOf } from "../ops/index.js";
import type { Range } from "../quantize/scale.js";

/** The ends of no elements. */
export const noEnds: Range = { min: Infinity, max: -Infinity };
/** Of what has to be looked at element by element. */
const unknownEnds: Range = { min: NaN, max: NaN };

/** A value whose smallest and largest element follow from those of another one, to the last bit. */
export interface DerivedEnds {
  readonly value: ValueId;
  readonly from: ValueId;
  readonly ends: (from: Range) => Range;
}

/**
 * Parts values into those whose ends have to be looked for and those whose ends follow, in the order in which they do. A
 * rectifier, a change of shape and a border of zeros are half of what a network of convolutions computes, and looking at
 * an activation takes as long as computing it.
 */
export function derivedEnds(
  graph: Graph,
  values: readonly ValueId[],
): { readonly sought: readonly ValueId[]; readonly derived: readonly DerivedEnds[] } {
  const asked = new Set(values);
  const sought: ValueId[] = [];
  const found = new Map<ValueId, DerivedEnds>();
  for (const value of asked) {
    const node = graph.producer(value);
    const from = node?.outputs[0] === value ? node.inputs[0] : undefined;
    const ends = node && endsThrough(graph, node);
    if (ends === undefined || from === undefined || from === null || !asked.has(from))
      sought.push(value);
    else found.set(value, { value, from, ends: (range) => ofFinite(range, ends) });
  }
  const order = graph.order().flatMap(({ outputs }) => found.get(outputs[0] as ValueId) ?? []);
  return { sought, derived: order };
}

/** An end that is not finite hides those that are. */
function ofFinite(range: Range, ends: (from: Range) => Range): Range {
  if (range.min === Infinity && range.max === -Infinity) return noEnds;
  return Number.isFinite(range.min) && Number.isFinite(range.max) ? ends(range) : unknownEnds;
}

/** How the ends of a node's result follow from those of its first input, of which there is an element. */
function endsThrough(graph: Graph, node: Node): ((from: Range) => Range) | undefined {
  const traits = operatorOf(node)?.traits;
  const movement = traits?.dataMovement;
  switch (movement) {
    case "copies":
    case "reshapes":
    case "permutes":
      return (from) => from;
    case "pads":
      return endsOfPadded(graph, node);
    case "selects":
    case "chooses":
    case "joins":
    case undefined:
      break;
    default:
      return movement satisfies never;
  }
  if (traits?.clamp === undefined) return undefined;
  // y = min(max(x, low), high) keeps order, so the ends of y are those of x, clamped.
  const { bounds } = traits.clamp;
  const [low, high] =
    bounds.length === 0
      ? (traits.range ?? [])
      : bounds.map((index, end) => numberAt(graph, node, index, end === 0 ? -Infinity : Infinity));
  if (low === undefined || high === undefined) return undefined;
  const clamped = (x: number): number => Math.min(Math.max(x, low), high);
  return ({ min, max }) => ({ min: clamped(min), max: clamped(max) });
}

/** With a constant around all of the input's elements. */
function endsOfPadded(graph: Graph, node: Node): ((from: Range) => Range) | undefined {
  const mode = node.attributes.get("mode");
  const isConstant = mode === undefined || (mode.type === "string" && mode.value === "constant");
  const pads = constantAt(graph, node, 1);
  const filling = numberAt(graph, node, 2, 0);
  if (node.op !== "Pad" || !isConstant || pads === undefined || filling === undefined)
    return undefined;
  // What is cut off is not known.
  if (pads.some((size) => size < 0)) return undefined;
  if (pads.every((size) => size === 0)) return (from) => from;
  return ({ min, max }) => ({ min: Math.min(min, filling), max: Math.max(max, filling) });
}

/** @returns `absent` where the node has no such input, undefined where it is no constant */
function numberAt(graph: Graph, node: Node, index: number, absent: number): number | undefined {
  const input = node.inputs[index];
  return input === undefined || input === null ? absent : constantAt(graph, node, index)?.[0];
}

function constantAt(graph: Graph, node: Node, index: number): readonly number[] | undefined {
  const input = node.inputs[index];
  return input === undefined || input === null ? undefined : graph.constant(input)?.numbers();
}
