import { type Dtype, dtypeArray, storedPerElement, type TypedArray } from "./dtype.js";
import { PareError } from "../error.js";

/** A dense tensor in row-major order. onnxruntime's and transformers.js' tensors fit as they are. */
export interface Tensor {
  readonly type: Dtype;
  readonly dims: readonly number[];
  readonly data: TypedArray | readonly string[];
}

/** Named tensors in or out of a model. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** What a caller may pass: a bare typed array where the input's dims are fixed. */
export type Feeds = Readonly<Record<string, Tensor | TypedArray>>;

export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const dim of dims) count *= dim;
  return count;
}

/** Whether dims are those that are wanted: of any size where none is said. */
export function dimsFit(
  wanted: readonly (number | string | null)[],
  dims: readonly number[],
): boolean {
  return (
    wanted.length === dims.length &&
    wanted.every((size, axis) => typeof size !== "number" || size === dims[axis])
  );
}

/** Also of another realm, as an iframe's or a test runner's; of views, a DataView has no elements. Asked at each run: no text is made. */
export function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && "BYTES_PER_ELEMENT" in value;
}

/** What it is by its own account: `instanceof` asks whether it is of this realm. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Elements of its own, in an array of this realm: engines take no other. What Node's `Buffer` slices is a view. */
export function copyOf(data: Tensor["data"]): Tensor["data"] {
  const kind = tagOf(data);
  const Own = Object.values(dtypeArray).find(({ name }) => name === kind);
  if (!Own || !isTypedArray(data)) return data.slice();
  const copy = new Own(data.length);
  bytesOf(copy).set(bytesOf(data));
  return copy;
}

/** The bytes under a typed array, as a view. */
export function bytesOf(array: TypedArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A typed array over bytes: a view where they are aligned, a copy where not. */
export function arrayOver(dtype: Exclude<Dtype, "string">, bytes: Uint8Array): TypedArray {
  const Array = dtypeArray[dtype];
  const aligned = bytes.byteOffset % Array.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new Array(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    Math.floor(aligned.byteLength / Array.BYTES_PER_ELEMENT),
  );
}

export function zeros(dtype: Exclude<Dtype, "string">, count: number): TypedArray {
  const Storage = dtypeArray[dtype];
  return new Storage(Math.ceil(count * storedPerElement(dtype)));
}

/**
 * Checks that a tensor's data is the right kind and length for its type and dims.
 * @throws PareError INPUT saying which, at `where`
 */
export function checkTensor({ type, dims, data }: Tensor, where: string): void {
  const count = elementCount(dims);
  const fault = (problem: string): PareError =>
    new PareError("INPUT", `${where} ${problem}`, { where });
  if ([...dims, count].some((size) => !Number.isSafeInteger(size) || size < 0))
    throw fault(`has impossible dims [${dims.join(", ")}].`);
  const expected = type === "string" ? "string[]" : dtypeArray[type].name;
  const isHeld = Array.isArray(data)
    ? type === "string" && data.every((text) => typeof text === type)
    : tagOf(data) === expected;
  if (!isHeld) throw fault(`is ${type}, held in a ${expected}, but got ${tagOf(data)}.`);
  if (data.length !== Math.ceil(count * storedPerElement(type)))
    throw fault(`has ${data.length} values, but dims [${dims.join(", ")}] need ${count}.`);
}
