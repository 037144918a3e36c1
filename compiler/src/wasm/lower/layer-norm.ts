import { normalAxis } from "../../ops/families/indexing.js";
import { laneCount, vectorsOf } from "../kernels/kernel.js";
import { layerNorm } from "../kernels/layer-norm.js";
import { collapsed } from "../kernels/nest.js";
import { axesOf, orderOf } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";
import type { NodeFacts } from "./node-facts.js";

export const layerNormRow: LoweringRow = {
  refuse(node) {
    const extra = node.node.outputs.slice(1).some((id) => id !== null);
    if (extra) return "mean and deviation as outputs are not compiled";
    const count = innerDims(node).reduce((product, size) => product * size, 1);
    const fits = [1, 2].every((at) => {
      if (node.input(at) === undefined) return true;
      const own = node.dims(at).reduce((product, size) => product * size, 1);
      return node.isConstant(at) && own === count;
    });
    return fits ? undefined : "scale and bias must be constant, and as large as what is normalized";
  },
  lower(node, l) {
    const inner = innerDims(node);
    const lanes = inner.reduce((product, size) => product * size, 1);
    const dims = [...node.dims(0).slice(0, node.dims(0).length - inner.length), lanes];
    const view = l.view(node.required(0));
    const isPlain = inner.length === 1;
    const x = l.withLanes(isPlain ? view : l.withDims(view, dims), dims.length - 1);
    // Lanes of one element may lie along any axis.
    const outer = orderOf(x).filter((axis) => axis !== dims.length - 1);
    const y = isPlain
      ? l.allocate(node.output(), [...outer, dims.length - 1])
      : l.allocateAs(node.output(), dims);
    const parameter = (at: number) => {
      const numbers = new Float32Array(vectorsOf(lanes) * laneCount);
      numbers.set(l.floats(node.required(at)) ?? []);
      return l.plan.constant(numbers);
    };
    const scale = parameter(1);
    const shift = node.input(2) !== undefined;
    l.plan.step(
      layerNorm,
      {
        axes: collapsed(axesOf([x, y], outer)),
        lanes,
        epsilon: node.attributes.float("epsilon", 1e-5),
        shift,
        padded: y.padded,
      },
      [x.place, scale, shift ? parameter(2) : scale, y.place],
    );
  },
};

function innerDims(node: NodeFacts): readonly number[] {
  const dims = node.dims(0);
  return dims.slice(normalAxis(node.attributes.int("axis", -1), dims.length));
}
