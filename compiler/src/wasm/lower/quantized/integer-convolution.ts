import { floatBytes, vectorsOf } from "../../kernels/kernel.js";
import { packedI8At, packedI8Length } from "../../kernels/matrix-i8.js";
import { type Axis, collapsed } from "../../kernels/nest.js";
import { termBytes } from "../../kernels/rounding-i8.js";
import { placeAt } from "../../plan/plan.js";
import { channelsLast, noHalo, sizeAt, stepAt } from "../../plan/view.js";
import { windowRefusal } from "../convolution.js";
import { type Convolution, geometryOf, shiftOf } from "../convolution-operands.js";
import { asImage, joinedAxes } from "../image.js";
import { convolutionHalo } from "../convolution-halo.js";
import type { Lowering } from "../lowering.js";
import type { LoweringRow } from "../lowering-row.js";
import type { NodeFacts } from "../node-facts.js";
import { blockOf } from "./blocks.js";
import { type Border, bordered } from "./bytes.js";
import { byteWeights, refuseIntegers, weightOf } from "./byte-weights.js";
import { type Taps, tapsOf } from "./convolution.js";
import { planIntegerSum } from "./integer-sum.js";

/** A convolution of bytes, of which only a run knows the zero point, with constant weights of bytes. */
export const integerConvolutionRow: LoweringRow = {
  types: ["uint8", "int32"],
  refuse(node) {
    const why = windowRefusal(node);
    if (why !== undefined) return why;
    const { maps, depth, group } = geometryOf(node);
    if (group < 1 || maps % group !== 0 || depth * group !== node.dims(0)[1])
      return "its groups do not fit its channels";
    return refuseIntegers(node, maps);
  },
  lower(node, l) {
    const geometry = geometryOf(node);
    const { group, strides } = geometry;
    const weights = byteWeights(node, l, 0);
    const pads = [noHalo, noHalo, ...convolutionHalo(node)];
    const x = asImage(bordered(l, l.view(node.required(0)), pads, borderOf(node, l)));
    const { axes: taps, run, placeOf } = tapsOf(x, geometry);
    const total = taps.reduce((product, { count }) => product * count, run);
    const elements = elementsOf(geometry, placeOf);
    planIntegerSum(node, l, weights, {
      groups: group,
      order: channelsLast(node.dims(0).length),
      channel: 1,
      seen: asImage,
      sums: (y, outputs) => {
        const length = packedI8Length(total, outputs);
        const packed = new Int8Array(length * group);
        for (let g = 0; g < group; g += 1)
          for (let n = 0; n < outputs; n += 1)
            elements.forEach((at, k) => {
              const place = g * length + packedI8At(at, n, total, outputs);
              packed[place] = weightOf(weights, group, g, n, k);
            });
        const axis = (a: number, stride: number): Axis => ({
          count: sizeAt(y, a),
          steps: [stride * stepAt(x, a), stepAt(y, a), 0],
        });
        const [rows, columns] = joinedAxes([axis(2, strides[0]), axis(3, strides[1])]);
        const batch = collapsed([
          { count: sizeAt(y, 0), steps: [stepAt(x, 0), 0, 0, stepAt(y, 0), 0] },
          {
            count: group,
            steps: [
              geometry.depth * stepAt(x, 1),
              length,
              vectorsOf(outputs) * termBytes,
              outputs * floatBytes,
              0,
            ],
          },
        ]);
        return {
          input: placeAt(x.place, shiftOf(x, geometry)),
          weights: packed,
          loops: { batch, rows, columns, taps, run },
          block: blockOf(rows, columns, length),
        };
      },
    });
  },
};

/** Zero points are what is around it: one that is constant, or where a run finds it. */
function borderOf(node: NodeFacts, l: Lowering): Border {
  const id = node.input(2);
  if (id === undefined) return 0;
  return l.scalar(id) ?? l.view(id).place;
}

/** By weight of a channel, as a file has them, its place in what is read. */
function elementsOf({ kernel, depth }: Convolution, placeOf: Taps["placeOf"]): readonly number[] {
  const places: number[] = [];
  for (let c = 0; c < depth; c += 1)
    for (let row = 0; row < kernel[0]; row += 1)
      for (let column = 0; column < kernel[1]; column += 1) places.push(placeOf(row, column, c));
  return places;
}
