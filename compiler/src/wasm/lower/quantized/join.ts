import { joinI8, type JoinedI8 } from "../../kernels/join-i8.js";
import { collapsed } from "../../kernels/nest.js";
import { mostRounded } from "../../kernels/rounding-i8.js";
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
  const options = {
    axes: isRun ? loops.slice(0, -1) : loops,
    run: isRun ? last.count : 1,
    join: op === "Add" ? ("add" as const) : ("multiply" as const),
    operands: [operand(x, a.zeroPoint, factors[0]), operand(z, b.zeroPoint, factors[1])] as const,
    rounding: { ...rounded.rounding, wide: most >= mostRounded },
  };
  l.plan.step(joinI8, options, [x.place, z.place, y.place]);
  return true;
}

/** How many steps a value is from 0 at most. */
function farthest({ most, zeroPoint }: Encoded): number {
  return Math.max(most - zeroPoint, zeroPoint);
}

function lane(view: View, axis: number): number {
  return sizeAt(view, axis) === 1 ? 0 : 1;
}
