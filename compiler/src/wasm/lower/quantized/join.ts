import { gateBits, gateI8 } from "../../kernels/gate-i8.js";
import { joinI8, type JoinedI8, type JoinI8Options } from "../../kernels/join-i8.js";
import { type Axis, collapsed } from "../../kernels/nest.js";
import { mostRounded } from "../../kernels/rounding-i8.js";
import type { Place } from "../../plan/plan.js";
import { axesOf, orderOf, sizeAt, stepAt, type View, widened } from "../../plan/view.js";
import type { Lowering } from "../lowering.js";
import type { NodeFacts } from "../node-facts.js";
import { allocateBytes } from "./bytes.js";
import { type Encoded, encodedBy } from "./quantization.js";
import { roundedResult } from "./rounded-result.js";

/** The sum or product of two tensors of bytes, rounded to bytes. @returns whether it is one */
export function joinBytes(node: NodeFacts, l: Lowering): boolean {
  const { op } = node.node;
  if (op !== "Add" && op !== "Mul") return false;
  const [a, b] = node.node.inputs.map((id) => encodedBy(l.graph, id ?? undefined));
  const rounded = roundedResult(l, node.output());
  if (a === undefined || b === undefined || rounded === undefined) return false;
  const { scale } = rounded;
  const factors =
    op === "Add"
      ? [Math.fround(a.scale / scale), Math.fround(b.scale / scale)]
      : [Math.fround((a.scale * b.scale) / scale), 1];
  if (!factors.every(Number.isFinite)) return false;
  const [first, second] = [a, b].map(farthest);
  const [own, beside] = [(first ?? 0) * (factors[0] ?? 0), (second ?? 0) * (factors[1] ?? 0)];
  const most = op === "Add" ? own + beside : own * beside;
  rounded.nodes.forEach((each) => l.absorbed.add(each));
  const y = allocateBytes(l, rounded.bytes);
  const along = y.lanes;
  const views = [a, b].map(({ bytes }) => {
    const wide = widened(l.view(bytes), y.dims.length);
    return sizeAt(wide, along) === 1 || stepAt(wide, along) === 1 ? wide : l.withLanes(wide, along);
  });
  const [x, z] = views;
  if (x === undefined || z === undefined) return false;
  const operand = (view: View, zeroPoint: number, factor = 1): JoinedI8 => ({
    zeroPoint,
    factor,
    lies: sizeAt(view, along) === 1 ? "splat" : "lanes",
  });
  const outer = axesOf(
    [x, z, y],
    orderOf(y).filter((axis) => axis !== along),
  );
  const run = { count: sizeAt(y, along), steps: [x, z, y].map((view) => lane(view, along)) };
  const loops = collapsed([...outer, run]);
  const last = loops.at(-1);
  // What follows on one another without gaps is one run.
  const isRun = last !== undefined && last.steps.join() === run.steps.join();
  const axes = isRun ? loops.slice(0, -1) : loops;
  const count = isRun ? last.count : 1;
  const rounding = { ...rounded.rounding, wide: most >= mostRounded };
  const operands = [
    operand(x, a.zeroPoint, factors[0]),
    operand(z, b.zeroPoint, factors[1]),
  ] as const;
  const join = op === "Add" ? ("add" as const) : ("multiply" as const);
  const options = { axes, run: count, join, operands, rounding };
  const places = [x.place, z.place, y.place];
  if (!planGates(l, options, places, [first ?? 0, second ?? 0]))
    l.plan.step(joinI8, options, places);
  return true;
}

/**
 * Plans a product where one operand stays the same all along the innermost axis, and its numbers are exact enough as gates.
 * @param most of each operand, in steps
 * @returns whether it is one
 */
function planGates(
  l: Lowering,
  { axes, run, join, operands, rounding }: JoinI8Options,
  places: readonly Place[],
  most: readonly [number, number],
): boolean {
  const along = axes.at(-1);
  const [one, two] = along?.steps ?? [];
  const isGated = join === "multiply" && (one === 0) !== (two === 0);
  if (along === undefined || !isGated || operands.some(({ lies }) => lies === "splat"))
    return false;
  const [gate, order] = one === 0 ? ([0, [1, 0, 2]] as const) : ([1, [0, 1, 2]] as const);
  const factor = operands[0].factor * operands[1].factor;
  const bits = gateBits(factor * most[gate]);
  if (bits === undefined) return false;
  const inOrder = ({ count, steps }: Axis): Axis => ({
    count,
    steps: order.map((at) => steps[at] ?? 0),
  });
  const { zeroPoint, low, high } = rounding;
  const options = {
    axes: axes.slice(0, -1).map(inOrder),
    along: inOrder(along),
    run,
    zeroPoints: [operands[1 - gate]?.zeroPoint ?? 0, operands[gate].zeroPoint] as const,
    factor,
    bits,
    rounding: { zeroPoint, low, high },
  };
  l.plan.step(
    gateI8,
    options,
    order.flatMap((at) => places[at] ?? []),
  );
  return true;
}

/** How many steps a value is from 0 at most. */
function farthest({ most, zeroPoint }: Encoded): number {
  return Math.max(most - zeroPoint, zeroPoint);
}

function lane(view: View, axis: number): number {
  return sizeAt(view, axis) === 1 ? 0 : 1;
}
