import { type Graph, type Node, type NodeId, type ValueId } from "../../ir/index.js";
import { centredPads, gridCoordinates } from "../../ops/families/spatial.js";
import { unknownSizes } from "../../ops/index.js";
import { operand, sizesOf, type Step } from "../opset/adapter.js";
import { sayNodes, type Words } from "../opset/say.js";
import { reshaped } from "../volumes/volume.js";
import { joinBlocks } from "./blocks.js";
import { convolveDeformed } from "./deformed.js";
import { normOverAll, normOverWindow } from "./norm-pools.js";
import { demandSizes } from "./sizes.js";
import { poolWithPlaces, unpool } from "./unpooled.js";

/** Along an axis, written down each. */
const mostPlaces = 2 ** 16;

/** AffineGrid: along each axis a column of theta times where a place lies, all added to the last column. */
function affineGrid(step: Step): void {
  const size = step.graph.constant(step.input(1))?.numbers();
  if (size === undefined) return step.refuse(unknownSizes);
  const [batch = 0, , ...places] = size;
  const axes = places.length;
  const aligned = step.attributes.int("align_corners", 0) === 1;
  if (axes !== 2 && axes !== 3) return step.refuse("its grid is not over two or three axes");
  if (places.some((count) => !(count >= 1 && count <= mostPlaces)))
    return step.refuse(`an axis of its grid is not of 1 to ${mostPlaces} places`);
  if (aligned && places.includes(1)) return step.refuse("an axis of one place has no corners");
  demandSizes(step, 0, [batch, axes, axes + 1]);
  const columns = step.split(
    operand(step, 0),
    Array.from({ length: axes + 1 }, () => 1),
    2,
  );
  const [moved, ...turned] = columns
    .toReversed()
    .map((column) => reshaped(step, column, [batch, ...places.map(() => 1), axes]));
  if (moved === undefined) return step.refuse(unknownSizes);
  // Columns are x, y, z, and axes the other way round: what is left of the columns now begins with the outermost axis.
  const sum = places.reduce<ValueId>((before, count, axis) => {
    const along = gridCoordinates(count, aligned);
    const dims = [1, ...places.map((own, other) => (other === axis ? own : 1)), 1];
    const column = turned[axis] ?? step.refuse(unknownSizes);
    return step.add("Add", [before, step.add("Mul", [column, step.float("along", along, dims)])]);
  }, moved);
  step.replaceBy(sum);
}

/** CenterCropPad: what is too long is cut, what is too short gets zeros. */
function centre(step: Step): void {
  const shape = sizesOf(step, 0);
  const sizes = step.graph.constant(step.input(1))?.numbers();
  if (sizes === undefined) return step.refuse(unknownSizes);
  const pads = centredPads(shape, sizes, step.attributes);
  if (pads.length !== sizes.length) return step.refuse("it has not a size for each of its axes");
  const axes = step.int64(
    "axes",
    pads.map(({ axis }) => axis),
  );
  const cut = pads.map(({ axis, before, after }) => ({
    start: Math.max(0, -before),
    end: (shape[axis] ?? 0) - Math.max(0, -after),
  }));
  const kept = step.add("Slice", [
    operand(step, 0),
    step.int64(
      "starts",
      cut.map(({ start }) => start),
    ),
    step.int64(
      "ends",
      cut.map(({ end }) => end),
    ),
    axes,
  ]);
  const added = [...pads.map(({ before }) => before), ...pads.map(({ after }) => after)];
  const padding = step.int64(
    "pads",
    added.map((count) => Math.max(0, count)),
  );
  step.replaceBy(step.add("Pad", [kept, padding, null, axes]));
}

const words: Words = new Map(
  Object.entries({
    AffineGrid: affineGrid,
    CenterCropPad: centre,
    Col2Im: joinBlocks,
    DeformConv: convolveDeformed,
    GlobalLpPool: normOverAll,
    LpPool: normOverWindow,
    MaxPool: poolWithPlaces,
    MaxUnpool: unpool,
  }),
);

/** Keys of those that have no kernel at all. */
export const spatialOperators: readonly string[] = [...words.keys()].filter(
  (key) => key !== "MaxPool",
);

/**
 * Says operators on images that have no kernel in operators that have. The graph is in its normal form, its sizes are fixed.
 * @returns of each node that stays: why
 */
export function saySpatial(graph: Graph): ReadonlyMap<NodeId, string> {
  return sayNodes(graph, "say-spatial", words, isMeant);
}

/** Of pools those that say where they found what they give. */
function isMeant(graph: Graph, { op, outputs }: Node): boolean {
  const places = outputs[1] ?? null;
  return op !== "MaxPool" || (places !== null && graph.value(places).uses.length > 0);
}
