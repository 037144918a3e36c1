import { elementCount } from "@pare/runtime/format";
import { type NumberArray, isWide, pack, unpack, workingArray } from "./arrays.js";
import { sameAsInput } from "./inferred.js";
import type { AttributeReader, OperatorRow } from "./row.js";
import { parameters } from "./signature.js";

/** y = f(x) for every element; a wide form where 64-bit integers are allowed. */
export interface UnaryMath {
  readonly number: (attributes: AttributeReader) => (x: number) => number;
  readonly wide?: (x: bigint) => bigint;
}

export function unaryRow(
  name: string,
  math: UnaryMath,
  attributes: readonly string[] = [],
  domain = "",
): OperatorRow {
  return {
    name,
    domain,
    inputs: parameters("X"),
    outputs: parameters("Y"),
    attributes,
    infer: sameAsInput,
    evaluate(context) {
      const x = context.input(0);
      const from = unpack(x);
      const to = workingArray(x.type, elementCount(x.dims));
      if (isWide(from)) {
        const f =
          math.wide ?? ((value: bigint) => BigInt(math.number(context.attributes)(Number(value))));
        for (let i = 0; i < from.length; i += 1) to[i] = f(from[i] ?? 0n);
      } else {
        const f = math.number(context.attributes);
        const numbers = to as NumberArray;
        for (let i = 0; i < from.length; i += 1) numbers[i] = f(from[i] ?? 0);
      }
      return [pack(x.type, x.dims, to)];
    },
  };
}

const plain = (f: (x: number) => number): UnaryMath => ({ number: () => f });

export const unaryRows: readonly OperatorRow[] = [
  unaryRow("Relu", { number: () => (x) => (x < 0 ? 0 : x), wide: (x) => (x < 0n ? 0n : x) }),
  unaryRow("Neg", { number: () => (x) => -x, wide: (x) => -x }),
  unaryRow("Sqrt", plain(Math.sqrt)),
  unaryRow("Exp", plain(Math.exp)),
  unaryRow(
    "Sigmoid",
    plain((x) => 1 / (1 + Math.exp(-x))),
  ),
  unaryRow("Tanh", plain(Math.tanh)),
];
