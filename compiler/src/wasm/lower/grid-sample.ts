import { gridSampling } from "../../ops/families/grid-sample.js";
import { gridSample } from "../kernels/grid-sample.js";
import { laneCount, vectorsOf } from "../kernels/kernel.js";
import { channelsLast, sizeAt, stepAt } from "../plan/view.js";
import type { LoweringRow } from "./lowering-row.js";

/** An image as a grid of points shows it: where they lie is known when the model runs. */
export const gridSampleRow: LoweringRow = {
  refuse(node) {
    const [x, grid] = [node.dims(0), node.dims(1)];
    if (x.length !== 4 || grid.length !== 4) return "images alone are sampled";
    if (grid[0] !== x[0] || grid[3] !== 2) return "its grid is not one of the image";
    return gridSampling(node.attributes) === undefined ? "it samples in another way" : undefined;
  },
  lower(node, l) {
    const sampling = gridSampling(node.attributes);
    if (sampling === undefined) throw node.fault("is sampled in another way");
    const x = l.withLanes(l.view(node.required(0)), 1, true);
    const grid = l.view(node.required(1));
    const y = l.allocate(node.output(), channelsLast(4), { whole: true });
    const vectors = vectorsOf(sizeAt(x, 1));
    const options = {
      ...sampling,
      axes: [
        { count: sizeAt(y, 0), steps: [stepAt(x, 0), stepAt(grid, 0), stepAt(y, 0)] },
        { count: sizeAt(y, 2), steps: [0, stepAt(grid, 1), stepAt(y, 2)] },
        { count: sizeAt(y, 3), steps: [0, stepAt(grid, 2), stepAt(y, 3)] },
      ],
      height: sizeAt(x, 2),
      width: sizeAt(x, 3),
      steps: [stepAt(x, 2), stepAt(x, 3), stepAt(grid, 3)] as const,
      vectors,
    };
    const zeros = l.plan.constant(new Float32Array(vectors * laneCount));
    l.plan.step(gridSample, options, [x.place, grid.place, y.place, zeros]);
  },
};
