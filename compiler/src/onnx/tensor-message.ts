import {
  arrayOver,
  type ByteSource,
  bytesOf,
  type Dtype,
  dtypeBytes,
  elementCount,
  PareError,
  type TypedArray,
  zeros,
} from "@pare/runtime/format";
import {
  codeOfDtype,
  dtypeOfCode,
  residentLimit,
  spannedCount,
  Tensor,
  type TensorData,
} from "../ir/index.js";
import protobuf from "protobufjs/minimal.js";
import { checkAxes } from "./axes.js";
import { externalSlice } from "./external.js";
import type { Message } from "./schema.js";
import { Slice } from "./slice.js";
import { readInt64, readText, readUint64, textBytes } from "./wire.js";

type TensorProto = Message<"TensorProto">;
type NumericDtype = Exclude<Dtype, "string">;

/** What a tensor was read from: it is written back as it was. */
export class TensorOrigin {
  readonly proto: TensorProto;
  /** Its bytes in another file. */
  readonly external: Slice | undefined;
  /** The sparse form it was read from. */
  readonly sparse: Message<"SparseTensorProto"> | undefined;

  constructor(proto: TensorProto, external?: Slice, sparse?: Message<"SparseTensorProto">) {
    this.proto = proto;
    this.external = external;
    this.sparse = sparse;
  }
}

/** @throws PareError MODEL_SHAPE, MODEL_INVALID, MODEL_LIMIT, MODEL_VERSION, EXTERNAL_DATA */
export async function decodeTensor(
  proto: TensorProto,
  external: ReadonlyMap<string, ByteSource>,
  where: string,
): Promise<Tensor> {
  const dtype = checkedDtype(proto, where);
  const dims = checkedDims(proto.dims ?? [], where);
  if (proto.segment !== undefined)
    throw new PareError(
      "MODEL_VERSION",
      `${where} is one segment of a tensor, which is not supported.`,
      { where },
    );
  const count = elementCount(dims);
  if (proto.dataLocation === 1) {
    const numeric = checkedNumeric(dtype, where);
    const bytes = dtypeBytes(numeric, count);
    const slice = externalSlice(proto.externalData ?? [], external, where, bytes);
    checkBytes(numeric, dims, slice.length, where);
    return make(
      numeric,
      dims,
      async () => arrayOver(numeric, await slice.read()),
      "external",
      new TensorOrigin(proto, slice),
    );
  }
  const origin = new TensorOrigin(proto);
  const { rawData } = proto;
  if (rawData !== undefined && (rawData.length > 0 || count === 0)) {
    const numeric = checkedNumeric(dtype, where);
    checkBytes(numeric, dims, rawData.length, where);
    if (rawData instanceof Slice)
      return Tensor.lazy(
        numeric,
        dims,
        async () => arrayOver(numeric, await rawData.read()),
        "raw",
        origin,
      );
    return Tensor.of(numeric, dims, arrayOver(numeric, rawData), "raw", origin);
  }
  if (dtype === "string") {
    const strings = proto.stringData ?? [];
    if (strings.length !== count) throw wrongCount(dtype, dims, strings.length, where);
    return Tensor.of(
      dtype,
      dims,
      strings.map((bytes) => readText(bytes, where)),
      "typed",
      origin,
    );
  }
  const data = typedField(proto, dtype);
  // A number takes at least a byte: what cannot fit is refused before memory is taken for it.
  if (data.length < zerosLength(dtype, count))
    throw wrongCount(
      dtype,
      dims,
      data instanceof Slice ? `at most ${data.length}` : data.length,
      where,
    );
  return make(dtype, dims, () => typedElements(data, dtype, dims, where), "typed", origin);
}

async function make(
  dtype: NumericDtype,
  dims: readonly number[],
  load: () => Promise<TensorData>,
  encoding: "typed" | "external",
  origin: TensorOrigin,
): Promise<Tensor> {
  if (dtypeBytes(dtype, elementCount(dims)) > residentLimit)
    return Tensor.lazy(dtype, dims, load, encoding, origin);
  return Tensor.of(dtype, dims, await load(), encoding, origin);
}

/** The field that holds a dtype's elements, one per element of its array. */
function typedField(proto: TensorProto, dtype: NumericDtype): readonly (number | bigint)[] | Slice {
  return proto[typedFieldName(dtype)] ?? [];
}

function typedFieldName(
  dtype: NumericDtype,
): "floatData" | "doubleData" | "int64Data" | "uint64Data" | "int32Data" {
  switch (dtype) {
    case "float32":
    case "complex64":
      return "floatData";
    case "float64":
    case "complex128":
      return "doubleData";
    case "int64":
      return "int64Data";
    case "uint32":
    case "uint64":
      return "uint64Data";
    default:
      return "int32Data";
  }
}

async function typedElements(
  data: readonly (number | bigint)[] | Slice,
  dtype: NumericDtype,
  dims: readonly number[],
  where: string,
): Promise<TypedArray> {
  const elements = zeros(dtype, elementCount(dims));
  const length =
    data instanceof Slice ? unpack(await data.read(), dtype, elements) : fill(data, elements);
  if (length !== elements.length) throw wrongCount(dtype, dims, length, where);
  return elements;
}

function fill(data: readonly (number | bigint)[], into: TypedArray): number {
  for (let index = 0; index < into.length; index += 1) put(into, index, data[index] ?? 0);
  return data.length;
}

function unpack(bytes: Uint8Array, dtype: NumericDtype, into: TypedArray): number {
  const field = typedFieldName(dtype);
  if (field === "floatData" || field === "doubleData") {
    bytesOf(into).set(bytes.subarray(0, into.byteLength));
    return bytes.byteLength / into.BYTES_PER_ELEMENT;
  }
  const reader = new protobuf.Reader(bytes);
  let count = 0;
  for (; reader.pos < reader.len; count += 1) {
    const value =
      field === "int32Data"
        ? reader.int32()
        : field === "int64Data"
          ? readInt64(reader)
          : readUint64(reader);
    if (count < into.length) put(into, count, value);
  }
  return count;
}

function put(into: TypedArray, index: number, value: number | bigint): void {
  if (into instanceof BigInt64Array || into instanceof BigUint64Array) into[index] = BigInt(value);
  else into[index] = Number(value);
}

function zerosLength(dtype: NumericDtype, count: number): number {
  const perElement = dtype === "complex64" || dtype === "complex128" ? 2 : 1;
  return /^(u?int[24]|float4e2m1)$/.test(dtype) ? dtypeBytes(dtype, count) : count * perElement;
}

/** A tensor as the file holds it. Data that is not in memory is read only when the message is written. */
export function encodeTensor(tensor: Tensor, name: string | undefined): TensorProto {
  const { origin } = tensor;
  if (origin instanceof TensorOrigin && origin.sparse === undefined)
    return withName(inlined(origin), name);
  const proto: TensorProto = { dims: tensor.dims.map(BigInt), dataType: codeOfDtype(tensor.dtype) };
  const { dtype, data } = tensor;
  if (dtype === "string") {
    if (data === undefined || ArrayBuffer.isView(data))
      throw new PareError("INTERNAL", "A tensor of strings is not in memory.");
    proto.stringData = data.map(textBytes);
  } else if (data === undefined || !ArrayBuffer.isView(data)) {
    proto.rawData = new Slice(
      {
        size: tensor.byteLength,
        read: async (offset, length) =>
          bytesOf(await tensor.readArray()).subarray(offset, offset + length),
      },
      0,
      tensor.byteLength,
    );
  } else if (tensor.encoding === "typed") {
    const values = Array.from(data as Iterable<number | bigint>);
    const field = typedFieldName(dtype);
    if (field === "int64Data" || field === "uint64Data") proto[field] = values.map(BigInt);
    else proto[field] = values.map(Number);
  } else proto.rawData = bytesOf(data);
  return withName(proto, name);
}

function inlined({ proto, external }: TensorOrigin): TensorProto {
  if (external === undefined) return { ...proto };
  const { dataLocation: _, externalData: __, ...rest } = proto;
  return { ...rest, rawData: external };
}

function withName(proto: TensorProto, name: string | undefined): TensorProto {
  if (name !== undefined) proto.name = name;
  return proto;
}

function checkedDtype(proto: TensorProto, where: string): Dtype {
  const dtype = dtypeOfCode(proto.dataType);
  if (dtype !== undefined) return dtype;
  const code = proto.dataType ?? 0;
  if (code === 0)
    throw new PareError("MODEL_INVALID", `${where} does not say its element type.`, { where });
  throw new PareError(
    "MODEL_VERSION",
    `${where} has elements of type ${code}, which is not known.`,
    { where },
  );
}

function checkedNumeric(dtype: Dtype, where: string): NumericDtype {
  if (dtype !== "string") return dtype;
  throw new PareError(
    "MODEL_INVALID",
    `${where} holds strings as raw bytes, which ONNX does not allow.`,
    { where },
  );
}

/** @throws PareError MODEL_LIMIT for too many, MODEL_SHAPE when one is negative or their product is beyond 2^53 */
export function checkedDims(dims: readonly bigint[], where: string): readonly number[] {
  checkAxes(dims.length, where);
  const numbers = dims.map(Number);
  for (const dim of numbers)
    if (dim < 0 || !Number.isSafeInteger(dim))
      throw new PareError("MODEL_SHAPE", `${where} has the dim ${dim}.`, { where });
  if (!Number.isSafeInteger(spannedCount(numbers) * 16))
    throw new PareError("MODEL_SHAPE", `${where} has impossible dims [${numbers.join(", ")}].`, {
      where,
    });
  return numbers;
}

function checkBytes(dtype: Dtype, dims: readonly number[], bytes: number, where: string): void {
  const expected = dtypeBytes(dtype, elementCount(dims));
  if (bytes !== expected) {
    throw new PareError(
      "MODEL_SHAPE",
      `${where} is ${dtype} [${dims.join(", ")}], which is ${expected} bytes, but there are ${bytes}.`,
      { where },
    );
  }
}

function wrongCount(
  dtype: Dtype,
  dims: readonly number[],
  count: number | string,
  where: string,
): PareError {
  return new PareError(
    "MODEL_SHAPE",
    `${where} is ${dtype} [${dims.join(", ")}], but holds ${count} elements.`,
    { where },
  );
}
