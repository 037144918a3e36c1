import { type Join, joinI8, type JoinedI8 } from "../../kernels/join-i8.js";
import { collapsed } from "../../kernels/nest.js";
import { mostRounded } from "../../kernels/rounding-i8.js";
import { axesOf, orderOf, sizeAt, stepAt, type View, widened } from "../../plan/view.js";
import type { Lowering } from "../lowering.js";
import type { NodeFacts } from "../node-facts.js";
import { allocateBytes } from "./bytes.js";
import { encodedBy, farthest } from "./quantization.js";
import { roundedResult } from "./rounded-result.js";

/** The sum or product of two tensors of bytes, rounded to bytes. @returns whether it is one */
export function joinBytes(node: NodeFacts, l: Lowering): boolean {
  const { op } = node.node;
  if (op !== "Add" && op !== "Mul") return false;
  const [a, b] = node.node.inputs.map((id) => encodedBy(l.graph, id ?? undefined));
  const rounded = roundedResult(l, node.output());
  if (a === undefined || b === undefined || rounded === undefined) return false;
  const { scale } = rounded;
  const join: Join =
    op === "Add"
      ? { kind: "add", factors: [Math.fround(a.scale / scale), Math.fround(b.scale / scale)] }
      : { kind: "multiply", factor: Math.fround(Math.fround(a.scale * b.scale) / scale) };
  const most = farthestJoined(join, farthest(a), farthest(b));
  if (!Number.isFinite(most)) return false;
  rounded.nodes.forEach((each) => l.absorbed.add(each));
  const y = allocateBytes(l, rounded.bytes);
  const along = y.lanes;
  const views = [a, b].map(({ bytes }) => {
    const wide = widened(l.view(bytes), y.dims.length);
    return sizeAt(wide, along) === 1 || stepAt(wide, along) === 1 ? wide : l.withLanes(wide, along);
  });
  const [x, z] = views;
  if (x === undefined || z === undefined) return false;
  const operand = (view: View, zeroPoint: number): JoinedI8 => ({
    zeroPoint,
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
  const operands = [operand(x, a.zeroPoint), operand(z, b.zeroPoint)] as const;
  l.plan.step(joinI8, { axes, run: count, join, operands, rounding }, [x.place, z.place, y.place]);
  return true;
}

/** How many steps of the result a joined value is from 0 at most. */
function farthestJoined(join: Join, first: number, second: number): number {
  if (join.kind === "multiply") return first * second * join.factor;
  const [own, other] = join.factors;
  return first * own + second * other;
}

function lane(view: View, axis: number): number {
  return sizeAt(view, axis) === 1 ? 0 : 1;
}
