import { dtypeArray, elementCount } from "@pare/runtime/format";
import { product } from "../ir/index.js";
import { sameAsInput, tensorOf } from "./inferred.js";
import type { OperatorRow } from "./row.js";
import { parameters } from "./signature.js";

const identityRow: OperatorRow = {
  name: "Identity",
  domain: "",
  inputs: parameters("input"),
  outputs: parameters("output"),
  attributes: [],
  infer(context) {
    const type = context.type(0);
    return type === undefined ? [] : [{ type, elements: context.elements(0) }];
  },
  evaluate: (context) => [context.input(0)],
};

const shapeRow: OperatorRow = {
  name: "Shape",
  domain: "",
  inputs: parameters("data"),
  outputs: parameters("shape"),
  attributes: ["start", "end"],
  infer(context) {
    const { attributes } = context;
    const shape = context.shape(0);
    if (shape === undefined) return tensorOf("int64", undefined);
    const kept = shape.slice(attributes.int("start", 0), attributes.int("end", shape.length));
    return tensorOf("int64", [kept.length], kept);
  },
  evaluate({ input, attributes }) {
    const { dims } = input(0);
    const kept = dims.slice(attributes.int("start", 0), attributes.int("end", dims.length));
    return [{ type: "int64", dims: [kept.length], data: BigInt64Array.from(kept, BigInt) }];
  },
};

const sizeRow: OperatorRow = {
  name: "Size",
  domain: "",
  inputs: parameters("data"),
  outputs: parameters("size"),
  attributes: [],
  infer(context) {
    const shape = context.shape(0);
    return tensorOf("int64", [], shape && [product(shape)]);
  },
  evaluate: ({ input }) => [
    { type: "int64", dims: [], data: BigInt64Array.of(BigInt(elementCount(input(0).dims))) },
  ],
};

export const shapeRows: readonly OperatorRow[] = [identityRow, shapeRow, sizeRow];
