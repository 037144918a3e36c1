import { PareError } from "@pare/runtime/format";
import { type Dim, dim } from "../../ir/index.js";
import { isPositive } from "./bounds.js";
import { larger } from "./symbolic.js";

/**
 * ONNX's (numpy's) broadcast of shapes. Of two dims that are not known to be equal, the result is their maximum whenever they
 * fit, but for 0 with 1, which give 0: where sizes may come to these, it is unknown. Undefined where a rank is unknown or
 * numbers do not fit.
 */
export function broadcastShapes(
  shapes: readonly (readonly Dim[] | undefined)[],
): readonly Dim[] | undefined {
  let result: readonly Dim[] = [];
  for (const shape of shapes) {
    if (shape === undefined) return undefined;
    const joined = broadcastTwo(result, shape);
    if (joined === undefined) return undefined;
    result = joined;
  }
  return result;
}

function broadcastTwo(a: readonly Dim[], b: readonly Dim[]): readonly Dim[] | undefined {
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let axis = 0; axis < rank; axis += 1) {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left === right || right === 1) result.push(left);
    else if (left === 1) result.push(right);
    else if (typeof left === "number" && typeof right === "number") return undefined;
    else if (typeof left === "number") result.push(left);
    else if (typeof right === "number") result.push(right);
    else result.push([left, right].every(isPositive) ? larger(left, right) : dim.unknown());
  }
  return result;
}

/** As `broadcastShapes`, for dims that are there. @throws PareError MODEL_SHAPE */
export function broadcastDims(...all: readonly (readonly number[])[]): readonly number[] {
  const result = broadcastShapes(all);
  if (result === undefined) {
    const shapes = all.map((dims) => `[${dims.join(", ")}]`).join(" and ");
    throw new PareError("MODEL_SHAPE", `Shapes ${shapes} do not broadcast.`);
  }
  return result.map(Number);
}
