import { type ByteSource, elementCount, PareError, zeros } from "@pare/runtime/format";
import { Tensor } from "../ir/index.js";
import type { Message } from "./schema.js";
import { checkedDims, decodeTensor, encodeTensor, TensorOrigin } from "./tensor-message.js";

type SparseTensorProto = Message<"SparseTensorProto">;

/** A sparse tensor is called as its values are. */
export function sparseName(sparse: SparseTensorProto): string {
  return sparse.values?.name ?? "";
}

/** So many elements may be dense, however few are given: no constant of a model is resized to more either. */
const mostElements = 2 ** 26;

/** Beyond that, to each that is given: of a weight that is as sparse as that, nothing is left. */
const mostPerValue = 1000;

/**
 * A sparse initializer as the dense tensor it means; made dense when it is read. Written back sparse, whole: what lies in
 * other files comes into the model.
 * @throws PareError as `decodeTensor`
 */
export async function decodeSparse(
  sparse: SparseTensorProto,
  external: ReadonlyMap<string, ByteSource>,
): Promise<Tensor> {
  const where = `Sparse initializer ${JSON.stringify(sparseName(sparse))}`;
  if (sparse.values === undefined || sparse.indices === undefined)
    throw new PareError("MODEL_INVALID", `${where} has no values or no indices.`, { where });
  const values = await decodeTensor(sparse.values, external, where);
  const indices = await decodeTensor(sparse.indices, external, where);
  const dims = checkedDims(sparse.dims ?? [], where);
  const { dtype } = values;
  if (dtype === "string" || indices.dtype !== "int64" || indices.dims[0] !== values.count) {
    throw new PareError("MODEL_INVALID", `${where} does not give an index to each of its values.`, {
      where,
    });
  }
  const limit = Math.min(2 ** 31, Math.max(mostElements, mostPerValue * values.count));
  if (elementCount(dims) > limit)
    throw new PareError(
      "MODEL_LIMIT",
      `${where} gives ${values.count} of ${elementCount(dims)} elements; at most ${limit} are made of so few.`,
      { where, hint: "Export the model again with the tensor dense, if it is meant so." },
    );
  const load = async () => {
    const dense = zeros(dtype, elementCount(dims));
    const from = await values.readArray();
    const flat = flatIndices(await indices.readArray(), dims, values.count);
    flat.forEach((at, index) => {
      const value = from[index];
      if (value === undefined || at < 0 || at >= dense.length)
        throw new PareError("MODEL_SHAPE", `${where} has the index ${at}.`, { where });
      dense[at] = value;
    });
    return dense;
  };
  const inside = {
    values: encodeTensor(values, undefined),
    indices: encodeTensor(indices, undefined),
  };
  return Tensor.lazy(
    dtype,
    dims,
    load,
    "typed",
    new TensorOrigin(inside.values, undefined, { ...sparse, ...inside }),
  );
}

/** Indices are flat, or one row of coordinates per value. */
function flatIndices(
  indices: ArrayLike<number | bigint>,
  dims: readonly number[],
  count: number,
): readonly number[] {
  if (indices.length === count) return Array.from(indices, Number);
  return Array.from({ length: count }, (_, row) =>
    dims.reduce(
      (flat, dim, axis) => flat * dim + Number(indices[row * dims.length + axis] ?? -1),
      0,
    ),
  );
}
