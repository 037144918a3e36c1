import { attribute, type ValueId } from "../../ir/index.js";
import type { Translate, Translation } from "../translation.js";

/** Over no axes nothing is reduced, which ONNX has to be told. */
function reduced(at: Translation, op: string, value: ValueId): ValueId {
  const isKept = at.attributes.flag("keep_dims") || at.attributes.flag("keepdims");
  return at.add(op, [value, at.sizes(1)], {
    keepdims: attribute.int(isKept ? 1 : 0),
    noop_with_empty_axes: attribute.int(1),
  });
}

const reduce =
  (op: string): Translate =>
  (at) =>
    reduced(at, op, at.input(0));

const reduceFlags =
  (op: string): Translate =>
  (at) =>
    at.cast(reduced(at, op, at.cast(at.input(0), "int32")), "bool");

const place =
  (op: "ArgMax" | "ArgMin"): Translate =>
  (at) => {
    const axis = at.inputs.length > 1 ? at.number(1, "axis") : 0;
    const attributes = { axis: attribute.int(axis), keepdims: attribute.int(0) };
    return at.cast(at.add(op, [at.input(0)], attributes), "int32");
  };

export const reductions: Readonly<Record<string, Translate>> = {
  All: reduceFlags("ReduceMin"),
  Any: reduceFlags("ReduceMax"),
  ArgMax: place("ArgMax"),
  ArgMin: place("ArgMin"),
  Cumsum: (at) =>
    at.add("CumSum", [at.input(0), at.cast(at.input(1), "int64")], {
      exclusive: attribute.int(at.attributes.flag("exclusive") ? 1 : 0),
      reverse: attribute.int(at.attributes.flag("reverse") ? 1 : 0),
    }),
  EuclideanNorm: reduce("ReduceL2"),
  Max: reduce("ReduceMax"),
  // Of integers it is a float: tfjs-core/src/ops/mean.ts.
  Mean: (at) => reduced(at, "ReduceMean", at.cast(at.input(0), "float32")),
  Min: reduce("ReduceMin"),
  Prod: reduce("ReduceProd"),
  Sum: (at) => {
    const value = at.input(0);
    return reduced(at, "ReduceSum", at.dtypeOf(value) === "bool" ? at.cast(value, "int32") : value);
  },
};
