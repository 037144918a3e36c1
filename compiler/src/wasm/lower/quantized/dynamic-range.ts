import type { Node, ValueId } from "../../../ir/index.js";
import { rangeI8 } from "../../kernels/range-i8.js";
import { floatBytes } from "../../kernels/kernel.js";
import { collapsed } from "../../kernels/nest.js";
import {
  axesOf,
  channelsLast,
  type Halo,
  noHalo,
  orderOf,
  rowMajor,
  sizeAt,
  type View,
} from "../../plan/view.js";
import { convolutionHalo } from "../convolution-halo.js";
import type { Lowering } from "../lowering.js";
import type { LoweringRow } from "../lowering-row.js";
import { NodeFacts } from "../node-facts.js";
import { planRounding } from "./boundary.js";
import { newBytes } from "./bytes.js";
import { isPlain } from "./quantization.js";

/** Floats to bytes that span their range, which only a run knows: scale and zero point are results as well. */
export const dynamicQuantizeRow: LoweringRow = {
  types: ["float32", "uint8"],
  lower(node, l) {
    const x = l.laned(l.view(node.required(0)));
    const [bytes, scaleId, zeroId] = node.node.outputs;
    const scale = oneNumber(l, scaleId, "f32");
    const zero = oneNumber(l, zeroId, "u8");
    planRange(l, x, scale, zero);
    if (bytes === null || bytes === undefined) return;
    const y = newBytes(
      l,
      l.dims(bytes),
      { ...layoutFor(l, bytes, zeroId), border: zero.place },
      l.graph.value(bytes).name,
    );
    l.set(bytes, y);
    const rounding = { zeroPoint: 0, low: 0, high: 255, wide: true };
    planRounding(l, x, y, { scale: "given", rounding, at: [scale.place, zero.place] });
  },
};

function oneNumber(l: Lowering, id: ValueId | null | undefined, element: "f32" | "u8"): View {
  if (id !== null && id !== undefined) return l.allocate(id, rowMajor(1), { exact: true });
  return l.temporary([1], { order: [0], padded: false, halo: [] }, "range", element);
}

function planRange(l: Lowering, x: View, scale: View, zero: View): void {
  const lanes = sizeAt(x, x.lanes);
  const order = orderOf(x).filter((axis) => axis !== x.lanes);
  const axes = collapsed(axesOf([x], order));
  const last = axes.at(-1);
  // Rows without gaps are one.
  const isRow = last?.steps[0] === lanes * floatBytes;
  const options = {
    axes: isRow ? axes.slice(0, -1) : axes,
    lanes: isRow ? lanes * last.count : lanes,
  };
  l.plan.step(rangeI8, options, [x.place, scale.place, zero.place]);
}

/** Rows for products; channels innermost for convolutions, with room around them for zero points where they pad. */
function layoutFor(
  l: Lowering,
  bytes: ValueId,
  zero: ValueId | null | undefined,
): { readonly order: readonly number[]; readonly halo: readonly Halo[]; readonly exact: boolean } {
  const dims = l.dims(bytes);
  const convolutions = l.graph
    .consumers(bytes)
    .filter((reader) => isPlain(reader, "ConvInteger") && reader.inputs[0] === bytes);
  if (convolutions.length === 0) return { order: rowMajor(dims.length), halo: [], exact: false };
  const halo: Halo[] = dims.map((_, axis) =>
    convolutions.map((reader) => padsOf(l, reader, zero)[axis] ?? noHalo).reduce(widest),
  );
  return { order: channelsLast(dims.length), halo, exact: (dims[1] ?? 1) < 4 };
}

function padsOf(l: Lowering, reader: Node, zero: ValueId | null | undefined): readonly Halo[] {
  if (zero === null || zero === undefined || reader.inputs[2] !== zero) return [];
  return [noHalo, noHalo, ...convolutionHalo(new NodeFacts(l.graph, reader))];
}

function widest([b, a]: Halo, [before, after]: Halo): Halo {
  return [Math.max(b, before), Math.max(a, after)];
}
