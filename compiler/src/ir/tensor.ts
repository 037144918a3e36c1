import {
  bytesOf,
  type Dtype,
  dtypeBytes,
  elementCount,
  PareError,
  type TypedArray,
} from "@pare/runtime/format";

/** Elements in memory: by dtype as `dtypeArray` says, or strings. */
export type TensorData = TypedArray | readonly string[];

/** How a file held the elements; kept so that what was read is written back equal. */
export type TensorEncoding = "raw" | "typed" | "external";

/** Up to this many bytes a tensor is resident and read synchronously. */
export const residentLimit = 64 * 1024;

interface TensorFields {
  readonly dtype: Dtype;
  readonly dims: readonly number[];
  readonly encoding: TensorEncoding;
  readonly data: TensorData | undefined;
  readonly load: (() => Promise<TensorData>) | undefined;
  /** What the file said besides: documentation, external location, unknown fields. Opaque here. */
  readonly origin: unknown;
}

/**
 * A constant. Small ones are resident (`data`); larger ones stay where they are until `read()`. Immutable: forks
 * share it.
 */
export class Tensor {
  readonly dtype: Dtype;
  readonly dims: readonly number[];
  readonly encoding: TensorEncoding;
  readonly origin: unknown;
  /** The elements where they are resident. Rules look at these alone. */
  readonly data: TensorData | undefined;
  readonly #load: (() => Promise<TensorData>) | undefined;

  private constructor(fields: TensorFields) {
    this.dtype = fields.dtype;
    this.dims = fields.dims;
    this.encoding = fields.encoding;
    this.origin = fields.origin;
    this.data = fields.data;
    this.#load = fields.load;
  }

  /** A tensor whose elements are in memory. */
  static of(
    dtype: Dtype,
    dims: readonly number[],
    data: TensorData,
    encoding: TensorEncoding = "raw",
    origin?: unknown,
  ): Tensor {
    const count = elementCount(dims);
    const fits = Array.isArray(data)
      ? data.length === count
      : bytesOf(data as TypedArray).byteLength === dtypeBytes(dtype, count);
    if (!fits) {
      throw new PareError(
        "MODEL_SHAPE",
        `A ${dtype} tensor of [${dims.join(", ")}] cannot hold ${data.length} elements.`,
      );
    }
    return new Tensor({ dtype, dims, encoding, data, load: undefined, origin });
  }

  /** A tensor that is read when asked for; `load` may be called more than once and should not cache. */
  static lazy(
    dtype: Dtype,
    dims: readonly number[],
    load: () => Promise<TensorData>,
    encoding: TensorEncoding = "raw",
    origin?: unknown,
  ): Tensor {
    return new Tensor({ dtype, dims, encoding, data: undefined, load, origin });
  }

  static float32(dims: readonly number[], values: ArrayLike<number>): Tensor {
    return Tensor.of(
      "float32",
      dims,
      values instanceof Float32Array ? values : Float32Array.from(values),
    );
  }

  /** int64 from safe integers; 1-D unless dims are given. */
  static int64(values: readonly number[], dims: readonly number[] = [values.length]): Tensor {
    return Tensor.of("int64", dims, BigInt64Array.from(values, wholeInteger));
  }

  get count(): number {
    return elementCount(this.dims);
  }

  /** Bytes of the elements; 0 for strings. */
  get byteLength(): number {
    return dtypeBytes(this.dtype, this.count);
  }

  /** The elements; from the source where they are not resident. */
  async read(): Promise<TensorData> {
    if (this.data !== undefined) return this.data;
    if (this.#load === undefined)
      throw new PareError("INTERNAL", "A tensor has neither data nor a source.");
    return this.#load();
  }

  /** As `read`, for a tensor that must not be of strings. */
  async readArray(): Promise<TypedArray> {
    const data = await this.read();
    if (!ArrayBuffer.isView(data))
      throw new PareError(
        "MODEL_SHAPE",
        "A numeric tensor was expected, but this one holds strings.",
      );
    return data;
  }

  /** float32 elements. @throws PareError MODEL_SHAPE for another dtype */
  async readFloat32(): Promise<Float32Array> {
    const data = await this.read();
    if (!(data instanceof Float32Array))
      throw new PareError(
        "MODEL_SHAPE",
        `A float32 tensor was expected, but this one is ${this.dtype}.`,
      );
    return data;
  }

  /** Resident elements as plain numbers, or undefined when not resident, not numeric or beyond 2^53. */
  numbers(): readonly number[] | undefined {
    if (this.data === undefined || this.dtype === "string" || !ArrayBuffer.isView(this.data))
      return undefined;
    switch (this.dtype) {
      case "float16":
      case "bfloat16":
      case "int4":
      case "uint4":
      case "int2":
      case "uint2":
        return undefined;
      default: {
        const { data } = this;
        const numbers: number[] = [];
        // Rules ask at every node: several times faster than Array.from.
        for (let at = 0; at < data.length; at += 1) numbers.push(Number(data[at]));
        return this.dtype === "int64" || this.dtype === "uint64"
          ? clampedIntegers(numbers)
          : numbers;
      }
    }
  }

  /** The same elements under other dims of the same count. */
  reshaped(dims: readonly number[]): Tensor {
    return new Tensor({
      dtype: this.dtype,
      dims,
      encoding: this.encoding === "external" ? "raw" : this.encoding,
      data: this.data,
      load: this.#load ?? undefined,
      origin: undefined,
    });
  }
}

/** As it is written: what `clampedIntegers` has made less is "to the end" again, by which engines know it. */
function wholeInteger(value: number): bigint {
  if (value >= Number.MAX_SAFE_INTEGER) return 2n ** 63n - 1n;
  return value <= Number.MIN_SAFE_INTEGER ? -(2n ** 63n) : BigInt(value);
}

/** ONNX writes 2^63−1 for "to the end": such values stay beyond every dimension as ±(2^53−1). */
function clampedIntegers(numbers: readonly number[]): readonly number[] {
  return numbers.map((value) =>
    Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value)),
  );
}

/** Integers that a tensor holds, for shape arithmetic: small int32 and int64 only. */
export function elementsOf(tensor: Tensor): readonly number[] | undefined {
  if (
    (tensor.dtype !== "int64" && tensor.dtype !== "int32") ||
    tensor.dims.length > 1 ||
    tensor.count > 1024
  )
    return undefined;
  return tensor.numbers();
}
