import {
  codeOfDtype,
  dim,
  type Dim,
  type DimExpression,
  dtypeOfCode,
  tensorType,
  unknownType,
  type ValueType,
} from "../ir/index.js";
import { checkAxes } from "./axes.js";
import type { Message } from "./schema.js";

/** Names of dims that one input uses twice in its shape, so that they cannot mean one size: see `decodeShape`. */
export type Ambiguous = ReadonlyMap<string, readonly string[]>;

type Shape = Message<"TensorShapeProto">;

export function decodeType(
  proto: Message<"TypeProto"> | undefined,
  ambiguous: Ambiguous,
): ValueType {
  if (proto === undefined) return unknownType;
  if (proto.tensorType !== undefined) return decodeTensorType(proto.tensorType, ambiguous);
  if (proto.sparseTensorType !== undefined) {
    return { ...decodeTensorType(proto.sparseTensorType, ambiguous), kind: "sparse-tensor" };
  }
  if (proto.sequenceType !== undefined)
    return { kind: "sequence", element: decodeType(proto.sequenceType.elemType, ambiguous) };
  if (proto.optionalType !== undefined)
    return { kind: "optional", element: decodeType(proto.optionalType.elemType, ambiguous) };
  if (proto.mapType !== undefined) {
    const key = dtypeOfCode(proto.mapType.keyType);
    if (key !== undefined)
      return { kind: "map", key, value: decodeType(proto.mapType.valueType, ambiguous) };
  }
  return unknownType;
}

function decodeTensorType(proto: Message<"TensorTypeProto">, ambiguous: Ambiguous) {
  return tensorType(
    dtypeOfCode(proto.elemType),
    proto.shape === undefined ? undefined : decodeShape(proto.shape, ambiguous),
  );
}

/**
 * A named dim is that symbol; the n-th occurrence of an ambiguous name in a shape is its n-th symbol.
 * @throws PareError MODEL_LIMIT
 */
function decodeShape(shape: Shape, ambiguous: Ambiguous): readonly Dim[] {
  const { dim: dims = [] } = shape;
  checkAxes(dims.length, "A shape");
  const seen = new Map<string, number>();
  return dims.map(({ dimValue, dimParam }) => {
    if (dimValue !== undefined) {
      const value = Number(dimValue);
      return value >= 0 && Number.isSafeInteger(value) ? value : dim.unknown();
    }
    if (dimParam === undefined || dimParam === "" || dimParam.startsWith("?")) return dim.unknown();
    const occurrence = seen.get(dimParam) ?? 0;
    seen.set(dimParam, occurrence + 1);
    return dim.symbol(ambiguous.get(dimParam)?.[occurrence] ?? dimParam);
  });
}

/**
 * An exporter that names every free dim `batch` writes [batch, batch] for what is [batch, sequence]. Such a name
 * stands for several symbols: `batch`, `batch_2`, …, the same at the same occurrence in every shape.
 */
export function ambiguousNames(inputs: readonly Message<"ValueInfoProto">[]): Ambiguous {
  const shapes = inputs.map(({ type }) => namesOf(type?.tensorType?.shape));
  const taken = new Set(shapes.flat());
  const most = new Map<string, number>();
  for (const names of shapes) {
    const counted = new Map<string, number>();
    for (const name of names) {
      const times = (counted.get(name) ?? 0) + 1;
      counted.set(name, times);
      if (times > (most.get(name) ?? 1)) most.set(name, times);
    }
  }
  const ambiguous = new Map<string, readonly string[]>();
  for (const [name, times] of most) {
    const symbols = [name];
    for (let number = 2; symbols.length < times; number += 1) {
      if (!taken.has(`${name}_${number}`)) symbols.push(`${name}_${number}`);
    }
    ambiguous.set(name, symbols);
  }
  return ambiguous;
}

function namesOf(shape: Shape | undefined): readonly string[] {
  return (shape?.dim ?? []).flatMap(({ dimValue, dimParam }) =>
    dimValue === undefined && dimParam !== undefined && dimParam !== "" ? [dimParam] : [],
  );
}

/** Undefined for a type of which nothing is known. */
export function encodeType(type: ValueType): Message<"TypeProto"> | undefined {
  switch (type.kind) {
    case "tensor":
    case "sparse-tensor": {
      if (type.dtype === undefined) return undefined;
      const tensor: Message<"TensorTypeProto"> = { elemType: codeOfDtype(type.dtype) };
      if (type.shape !== undefined) tensor.shape = { dim: type.shape.map(encodeDim) };
      return type.kind === "tensor" ? { tensorType: tensor } : { sparseTensorType: tensor };
    }
    case "sequence":
    case "optional": {
      const elemType = encodeType(type.element);
      const inner = elemType === undefined ? {} : { elemType };
      return type.kind === "sequence" ? { sequenceType: inner } : { optionalType: inner };
    }
    case "map": {
      const valueType = encodeType(type.value);
      return {
        mapType: {
          keyType: codeOfDtype(type.key),
          ...(valueType === undefined ? {} : { valueType }),
        },
      };
    }
    case "unknown":
      return undefined;
    default:
      return type satisfies never;
  }
}

function encodeDim(value: Dim): Message<"DimensionProto"> {
  if (typeof value === "number") return { dimValue: BigInt(value) };
  return dim.isUnknown(value) ? {} : { dimParam: symbolName(value) ?? String(value) };
}

function symbolName({ terms }: DimExpression): string | undefined {
  const [term] = terms;
  const [atom] = term?.atoms ?? [];
  const alone = terms.length === 1 && term?.coefficient === 1 && term.atoms.length === 1;
  return alone && atom?.kind === "symbol" ? atom.name : undefined;
}
