import { quantizeI8, type QuantizeI8Options } from "../../kernels/quantize-i8.js";
import { floatBytes, laneCount } from "../../kernels/kernel.js";
import { collapsed } from "../../kernels/nest.js";
import type { Place } from "../../plan/plan.js";
import { axesOf, orderOf, sizeAt, stepAt, type View } from "../../plan/view.js";
import type { LoweringRow } from "../lowering-row.js";
import type { Lowering } from "../lowering.js";
import type { NodeFacts } from "../node-facts.js";
import { allocateBytes } from "./bytes.js";
import { byteBounds, stepsOf } from "./quantization.js";
import { clipOf, roundingBy } from "./rounded-result.js";
import { byteTable, functionOfBytes, numbersOf, planLookUp } from "./table.js";

function refuse(node: NodeFacts): string | undefined {
  const steps = stepsOf(node.graph, node.node);
  if (steps === undefined) return "its scale and zero point must be one finite constant each";
  return steps.dtype === "uint8" || steps.dtype === "int8"
    ? undefined
    : `it is compiled to and from 8 bits, and this is ${steps.dtype}`;
}

/** Numbers to bytes: of floats by dividing, of what is a function of bytes by a table. */
export const quantizeRow: LoweringRow = {
  types: ["float32", "uint8", "int8"],
  refuse,
  lower(node, l) {
    const steps = stepsOf(node.graph, node.node);
    if (steps === undefined) throw node.fault("has no steps");
    // Signed bytes are rounded as unsigned ones, and their highest bit is turned.
    const isSigned = steps.dtype === "int8";
    const { scale, rounding, bytes } = roundingBy(node.graph, node.node, {
      ...steps,
      zeroPoint: steps.zeroPoint + (isSigned ? 128 : 0),
    });
    const clip = clipOf(node.graph, node.node);
    if (clip !== undefined) l.absorbed.add(clip);
    const input = node.required(0);
    const how = { ...rounding, wide: true };
    const made = isSigned ? undefined : functionOfBytes(l, input);
    const table = made === undefined ? undefined : byteTable(l, made, scale, how);
    if (made !== undefined && table !== undefined) {
      const x = l.view(made.encoded.bytes);
      planLookUp(l, x, allocateBytes(l, bytes), table);
      return;
    }
    const x = l.laned(l.view(input));
    const y = allocateBytes(l, bytes, { exact: (node.dims(0)[1] ?? 1) < 4 });
    planRounding(l, x, y, { scale, rounding: how });
    if (isSigned) l.set(bytes, turned(l, y));
  },
};

/** Numbers of bytes, when somebody asks for them as floats. */
export const dequantizeRow: LoweringRow = {
  types: ["float32", "uint8", "int8"],
  refuse,
  lower(node, l) {
    const steps = stepsOf(node.graph, node.node);
    if (steps === undefined) throw node.fault("has no steps");
    const [bytes, output] = [node.required(0), node.output()];
    l.setLater(output, () => {
      const x = l.view(bytes);
      const y = l.allocate(output, orderOf(x), { exact: true });
      planLookUp(l, x, y, numbersOf(steps));
      return y;
    });
  },
};

/** Bounds of bytes, where no rounding has taken them up. */
export const byteClipRow: LoweringRow = {
  types: ["uint8"],
  refuse(node) {
    return byteBounds(node.graph, node.node) === undefined
      ? "its bounds must be constant"
      : undefined;
  },
  lower(node, l) {
    const [low, high] = byteBounds(node.graph, node.node) ?? [0, 255];
    const table = Uint8Array.from({ length: 256 }, (_, byte) =>
      Math.min(Math.max(byte, low), high),
    );
    planLookUp(l, l.view(node.required(0)), allocateBytes(l, node.output()), table);
  },
};

/** How floats are rounded, and where steps lie that only a run knows. */
interface HowRounded extends Pick<QuantizeI8Options, "scale" | "rounding"> {
  readonly at?: readonly Place[];
}

export function planRounding(
  l: Lowering,
  x: View,
  y: View,
  { scale, rounding, at = [] }: HowRounded,
): void {
  const along = x.lanes;
  const step = sizeAt(y, along) === 1 ? 1 : stepAt(y, along);
  const count = sizeAt(y, 1);
  const areTogether =
    along > 1 && count > 1 && count <= laneCount && step === count && stepAt(y, 1) === 1;
  const order = orderOf(y).filter((axis) => axis !== along && !(areTogether && axis === 1));
  const axes = collapsed(axesOf([x, y], order));
  const lanes = sizeAt(x, along);
  const last = axes.at(-1);
  // Rows without gaps in both are one.
  const isRow =
    step === 1 && last?.steps[0] === lanes * floatBytes && last.steps[1] === lanes * step;
  const options = {
    axes: isRow ? axes.slice(0, -1) : axes,
    lanes: isRow ? lanes * last.count : lanes,
    step,
    ...(areTogether && { channels: { count, step: stepAt(x, 1) } }),
    scale,
    rounding,
  };
  l.plan.step(quantizeI8, options, [x.place, y.place, ...at]);
}

/** The same with the highest bit of every byte turned: signed ones. */
function turned(l: Lowering, x: View): View {
  const y = l.temporary(x.dims, { order: orderOf(x), padded: false, halo: [] }, "signed", "i8");
  planLookUp(
    l,
    x,
    y,
    Uint8Array.from({ length: 256 }, (_, byte) => byte ^ 128),
  );
  return y;
}
