import { broadcastShapes } from "../families/broadcast.js";
import { axesOf } from "../families/resize.js";
import {
  alongAxis,
  areAxes,
  type Demand,
  isAxis,
  isGiven,
  isOne,
  isOneOf,
  isOther,
  noSuchAxis,
  numbersIn,
} from "./demand.js";

/** Axes are an input; none of them twice. */
const reduction: Demand = (context) =>
  areAxes(numbersIn(context, 1), context.shape(0)?.length) ? undefined : noSuchAxis;

const top: Demand = (context) => {
  const shape = context.shape(0);
  const axis = context.attributes.int("axis", -1);
  if (!isAxis(axis, shape?.length)) return noSuchAxis;
  const [count, size] = [numbersIn(context, 1)?.[0], shape?.at(axis)];
  if (!isOne(context, 1)) return "how many it chooses is not one number";
  return typeof count === "number" && typeof size === "number" && (count < 0 || count > size)
    ? "it chooses more than there are"
    : undefined;
};

const cumulative: Demand = (context) => {
  const axis = numbersIn(context, 1)?.[0];
  if (!isOne(context, 1)) return noSuchAxis;
  return axis === undefined || isAxis(axis, context.shape(0)?.length) ? undefined : noSuchAxis;
};

const oneHot: Demand = (context) => {
  const rank = context.shape(0)?.length;
  if (!isAxis(context.attributes.int("axis", -1), rank === undefined ? rank : rank + 1))
    return noSuchAxis;
  if (!isOne(context, 1)) return "its depth is not one number";
  return isOther(context.shape(2), [2]) ? "its values are not two" : undefined;
};

const triangle: Demand = (context) => {
  if ((context.shape(0)?.length ?? 2) < 2) return "its input is no matrix";
  return isOne(context, 1) ? undefined : "its diagonal is not one number";
};

const clip: Demand = (context) =>
  isOne(context, 1) && isOne(context, 2) ? undefined : "its bounds are not one number each";

const slope: Demand = (context) => {
  const [x, own] = [context.shape(0), context.shape(1)];
  if (x === undefined || own === undefined) return undefined;
  const joined = broadcastShapes([x, own]);
  return joined === undefined || isOther(joined, x) ? "its slopes do not fit its input" : undefined;
};

/** boxes [N, boxes, 4], scores [N, classes, boxes]. */
const suppression: Demand = (context) => {
  const [boxes, scores] = [context.shape(0), context.shape(1)];
  const [batch, , count] = scores ?? [];
  if (scores?.length !== 3 && scores !== undefined) return "its scores have not three axes";
  if (isOther(boxes, [batch, count, 4])) return "its boxes do not fit its scores";
  return [2, 3, 4].every((input) => isOne(context, input))
    ? undefined
    : "its bounds are not one number each";
};

const transforms =
  "half_pixel half_pixel_symmetric pytorch_half_pixel align_corners asymmetric tf_crop_and_resize";

const resize: Demand = (context) => {
  const rank = context.shape(0)?.length;
  const words =
    isOneOf(context, "mode", "nearest linear cubic") &&
    isOneOf(context, "coordinate_transformation_mode", transforms) &&
    isOneOf(context, "nearest_mode", "round_prefer_floor round_prefer_ceil floor ceil") &&
    isOneOf(context, "keep_aspect_ratio_policy", "stretch not_larger not_smaller");
  if (!words) return "its mode is not known";
  if (rank === undefined) return undefined;
  if (!areAxes(context.attributes.ints("axes"), rank)) return noSuchAxis;
  const count = axesOf(context.attributes, rank).length;
  const lengths = [1, 2, 3].map((input) => context.shape(input)?.[0] ?? 0);
  const [region, scales, sizes] = lengths;
  const isCrop =
    context.attributes.string("coordinate_transformation_mode", "") === "tf_crop_and_resize";
  if (isCrop && (!isGiven(context, 1) || region !== 2 * count))
    return "its region is not two numbers for each axis";
  const isSized = [scales, sizes].filter((length) => length !== 0);
  if (isSized.length !== 1 || isSized[0] !== count)
    return "its sizes or scales are not one for each axis";
  const factors = context.constant(2)?.numbers();
  return factors?.every((factor) => factor > 0 && Number.isFinite(factor)) === false
    ? "its scales are not above 0"
    : undefined;
};

export const choiceDemands = {
  ...Object.fromEntries(
    [
      "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceSumSquare ReduceL1 ReduceL2",
      "ReduceLogSum ReduceLogSumExp",
    ].flatMap((ops) => ops.split(" ").map((op) => [op, reduction] as const)),
  ),
  ArgMax: alongAxis(0),
  ArgMin: alongAxis(0),
  Softmax: alongAxis(-1),
  LogSoftmax: alongAxis(-1),
  TopK: top,
  CumSum: cumulative,
  OneHot: oneHot,
  Trilu: triangle,
  Clip: clip,
  PRelu: slope,
  NonMaxSuppression: suppression,
  Resize: resize,
};
