import type { Dim } from "../../ir/index.js";
import { normalAxis } from "../families/indexing.js";
import { type Demand, differ, isAxis, isOneOf, isOther, noSuchAxis } from "./demand.js";

/** Off the axis there is nothing outside of the tensor that is read or written. */
function isWithin(
  data: readonly Dim[],
  indices: readonly Dim[],
  along: number | undefined,
): boolean {
  const isInside = (size: Dim, at: number): boolean => {
    const whole = data[at];
    return at === along || typeof size !== "number" || typeof whole !== "number" || size <= whole;
  };
  return data.length === indices.length && indices.every(isInside);
}

const outside = "its indices have other sizes than its input";

const elements: Demand = (context) => {
  const [data, indices] = [context.shape(0), context.shape(1)];
  const axis = context.attributes.int("axis", 0);
  if (!isAxis(axis, data?.length)) return noSuchAxis;
  if (data === undefined || indices === undefined) return undefined;
  return isWithin(data, indices, normalAxis(axis, data.length)) ? undefined : outside;
};

const reductions = "none add mul max min";

const scattered: Demand = (context) => {
  if (!isOneOf(context, "reduction", reductions)) return "its reduction is not known";
  const indices = context.shape(1);
  const isUnfit = indices !== undefined && isOther(context.shape(2), indices);
  return isUnfit ? "its updates are not as many as its indices" : elements(context);
};

/** How many axes an index of n dimensions names, after those of the batch. */
function depthOf(data: readonly Dim[], indices: readonly Dim[], batch: number): number | undefined {
  const depth = indices.at(-1);
  const fits = typeof depth !== "number" || (depth >= 1 && batch + depth <= data.length);
  return typeof depth === "number" && fits ? depth : undefined;
}

const gatherNd: Demand = (context) => {
  const [data, indices] = [context.shape(0), context.shape(1)];
  const batch = context.attributes.int("batch_dims", 0);
  if (data === undefined || indices === undefined) return undefined;
  const isBatch = batch >= 0 && batch < Math.min(data.length, indices.length);
  const isAlike = data.slice(0, batch).every((size, at) => !differ(size, indices[at]));
  return isBatch && isAlike && depthOf(data, indices, batch) !== undefined ? undefined : outside;
};

const scatterNd: Demand = (context) => {
  if (!isOneOf(context, "reduction", reductions)) return "its reduction is not known";
  const [data, indices, updates] = [0, 1, 2].map((input) => context.shape(input));
  if (data === undefined || indices === undefined) return undefined;
  const depth = depthOf(data, indices, 0);
  if (depth === undefined || indices.length === 0) return outside;
  return isOther(updates, [...indices.slice(0, -1), ...data.slice(depth)])
    ? "its updates are not as many as its indices"
    : undefined;
};

export const placeDemands = {
  GatherElements: elements,
  GatherND: gatherNd,
  ScatterElements: scattered,
  ScatterND: scatterNd,
};
