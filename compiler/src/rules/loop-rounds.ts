import type { Dtype } from "@pare/runtime/format";
import {
  type Body,
  type Dim,
  dtypeOfCode,
  type Graph,
  type Node,
  type ValueId,
} from "../ir/index.js";
import { attributesOf, inputOf, scalarOf } from "./pattern.js";
import { behindIdentity } from "./scan-parts.js";

/** More rounds than any that is written out for them. */
const mostRounds = 2 ** 16;
/** Nodes between a round's number and what is made of it, each as often as it is read: no file is to take long. */
const mostVisits = 64;

/** An integer that grows by as much in each round. */
export interface Counter {
  readonly first: number;
  readonly step: number;
}

/** What is known of a loop's scalars: what counts, and what stays as it is outside. */
export interface LoopScalars {
  readonly counters: ReadonlyMap<ValueId, Counter>;
  readonly kept: ReadonlyMap<ValueId, ValueId>;
}

/** round × the number of the round + size × the loop's most rounds, where only a run knows those, + a constant. */
export interface Linear {
  readonly round: number;
  readonly size: number;
  readonly constant: number;
}

/**
 * How many rounds a Loop always makes: a number, or the size that its most rounds are. Undefined where it ends by what it
 * computes.
 */
export function roundsOf(
  graph: Graph,
  node: Node,
  body: Body,
  scalars: LoopScalars,
): Dim | undefined {
  const most = inputOf(node, 0);
  const number = most === undefined ? Infinity : scalarOf(graph, most);
  const size = number === undefined ? elementOf(graph, most) : undefined;
  const [goesOn] = body.outputs;
  // Where no condition is given, some engines ask the body for one all the same.
  const isKept = behindIdentity(graph, goesOn) === body.inputs[1];
  if (inputOf(node, 1) === undefined && scalarOf(graph, goesOn) !== 1) return undefined;
  const first = asked(graph, scalars, size, inputOf(node, 1));
  const next = isKept ? [] : asked(graph, scalars, size, goesOn);
  if (first === undefined || next === undefined) return undefined;
  if (size !== undefined)
    return first.every(isTrueFromOneOn) && next.every(isTrueUpToSize) ? size : undefined;
  if (number === undefined || !first.every(({ constant }) => constant < 0)) return undefined;
  const ends = next.map(roundsUntilFalse);
  const rounds = Math.min(number, ...ends.map((one) => one ?? 0));
  return ends.includes(undefined) || rounds < 1 || rounds > mostRounds ? undefined : rounds;
}

/** Rounds that are made where it is asked after each whether this is below 0; undefined where that turns true again. */
function roundsUntilFalse({ round, size, constant }: Linear): number | undefined {
  if (size !== 0) return undefined;
  if (round === 0) return constant < 0 ? Infinity : 1;
  return round > 0 ? Math.max(0, Math.ceil(-constant / round)) + 1 : undefined;
}

/** Is it below 0 in every round but the last, of as many as a size is? */
function isTrueUpToSize({ round, size, constant }: Linear): boolean {
  return size === -1 && ((round === 1 && constant <= 1) || (round === 0 && constant <= 0));
}

/** Is it below 0 where sizes are at least 1? */
function isTrueFromOneOn({ round, size, constant }: Linear): boolean {
  return round === 0 && size <= 0 && size + constant < 0;
}

/** What must all be below 0 for a condition to be true; undefined where it asks for something else. */
function asked(
  graph: Graph,
  scalars: LoopScalars,
  size: Dim | undefined,
  condition: ValueId | undefined,
): readonly Linear[] | undefined {
  let left = mostVisits;
  const visit = (value: ValueId | undefined): readonly Linear[] | undefined => {
    left -= 1;
    if (value === undefined || left < 0) return undefined;
    if (scalarOf(graph, value) === 1) return [];
    const node = graph.producer(value);
    if (node === undefined || node.domain !== "") return undefined;
    const [x, y] = [inputOf(node, 0), inputOf(node, 1)];
    switch (node.op) {
      case "Identity":
        return visit(x);
      case "And": {
        const [one, other] = [visit(x), visit(y)];
        return one && other && [...one, ...other];
      }
      case "Less":
        return below(x, y, 0);
      case "LessOrEqual":
        return below(x, y, -1);
      case "Greater":
        return below(y, x, 0);
      case "GreaterOrEqual":
        return below(y, x, -1);
      default:
        return undefined;
    }
  };
  const below = (x: ValueId | undefined, y: ValueId | undefined, more: number) => {
    const [less, than] = [x, y].map((id) => linearOf(graph, scalars, id, size));
    const difference = less && than && sumOf(less, than, -1);
    return difference && [{ ...difference, constant: difference.constant + more }];
  };
  return condition === undefined ? [] : visit(condition);
}

/** Types that hold every number of a round: others cut it, or round it. */
const countsRounds: ReadonlySet<Dtype> = new Set(["int32", "int64", "float32", "float64"]);

/**
 * A whole number that follows from the number of the round, which floats hold exactly; undefined where it is more than that.
 * @param size what only a run knows
 */
export function linearOf(
  graph: Graph,
  scalars: LoopScalars,
  value: ValueId | undefined,
  size?: Dim,
): Linear | undefined {
  let left = mostVisits;
  const visit = (id: ValueId | undefined): Linear | undefined => {
    left -= 1;
    if (id === undefined || left < 0) return undefined;
    const counter = scalars.counters.get(id);
    if (counter !== undefined) return { round: counter.step, size: 0, constant: counter.first };
    const outside = scalars.kept.get(id) ?? id;
    const constant = scalarOf(graph, outside);
    if (constant !== undefined)
      return Number.isInteger(constant) ? { round: 0, size: 0, constant } : undefined;
    if (size !== undefined && elementOf(graph, outside) === size)
      return { round: 0, size: 1, constant: 0 };
    const node = graph.producer(outside);
    if (node === undefined || node.domain !== "") return undefined;
    const [x, y] = [inputOf(node, 0), inputOf(node, 1)];
    switch (node.op) {
      case "Identity":
      case "Squeeze":
      case "Unsqueeze":
        return visit(x);
      case "Cast": {
        const to = dtypeOfCode(attributesOf(node).int("to"));
        return to !== undefined && countsRounds.has(to) ? visit(x) : undefined;
      }
      case "Add":
      case "Sub": {
        const [one, other] = [visit(x), visit(y)];
        return one && other && sumOf(one, other, node.op === "Add" ? 1 : -1);
      }
      default:
        return undefined;
    }
  };
  return visit(value);
}

function sumOf(x: Linear, y: Linear, sign: 1 | -1): Linear {
  return {
    round: x.round + sign * y.round,
    size: x.size + sign * y.size,
    constant: x.constant + sign * y.constant,
  };
}

/** What is known of the one integer in a value, where that is no number. */
function elementOf(graph: Graph, value: ValueId | undefined): Dim | undefined {
  const elements = value === undefined ? undefined : graph.value(value).elements;
  const [element] = elements ?? [];
  return elements?.length === 1 && typeof element !== "number" ? element : undefined;
}
