import type { Tensor as Dense } from "@pare/runtime/format";
import { binsOf, isMelWithin } from "../../ops/families/signal.js";
import { evaluateNode } from "../../ops/index.js";
import { floatBytes } from "../kernels/kernel.js";
import type { LoweringRow } from "./lowering-row.js";
import type { NodeFacts } from "./node-facts.js";

/** So many numbers of a kind are made: for a module that is to be small, more are no window. */
const mostMade = 2 ** 20;

/** Windows and the weights of mel frequencies: numbers made of sizes, which are constants of the module. */
export const madeRow: LoweringRow = {
  constantBytes: (node) => floatBytes * (countOf(node) ?? 0),
  refuse(node) {
    if (node.inputs.some((_, at) => !node.isConstant(at))) return "its sizes must be constant";
    const count = countOf(node);
    if (count === undefined) return "its sizes are not above 0";
    if (count > mostMade) return `more than ${mostMade} numbers are not made`;
    return isFitting(node) ? undefined : "its edges are outside of its frequencies";
  },
  lower(node, l) {
    const numbers = made(node);
    if (numbers === undefined) throw node.fault("has no reference evaluation");
    l.set(node.output(), l.constantView(numbers, l.dims(node.output())));
  },
};

/** How many numbers, by its inputs; undefined where these are no sizes. */
function countOf(node: NodeFacts): number | undefined {
  const [size = 0, length = 0] = [0, 1].map((at) => node.numbers(at)?.[0]);
  const isMel = node.node.op === "MelWeightMatrix";
  const count = isMel ? size * binsOf(length, true) : size;
  return Number.isInteger(size) && count > 0 && (!isMel || Number.isInteger(length))
    ? count
    : undefined;
}

/** What is not made yet must not fail when it is. */
function isFitting(node: NodeFacts): boolean {
  if (node.node.op !== "MelWeightMatrix") return true;
  const [mels = 0, length = 0, rate = 0, low = 0, high = 0] = [0, 1, 2, 3, 4].flatMap(
    (at) => node.numbers(at)?.[0] ?? Number.NaN,
  );
  return isMelWithin({ mels, length, rate, low, high });
}

function made({ graph, node }: NodeFacts): Float32Array | undefined {
  const inputs = node.inputs.map((id): Dense | null => {
    const { dtype, dims, data } = graph.constant(id) ?? {};
    return dtype === undefined || dims === undefined || data === undefined
      ? null
      : { type: dtype, dims, data };
  });
  const [result] = evaluateNode(graph, node, inputs) ?? [];
  return result?.data instanceof Float32Array ? result.data : undefined;
}
