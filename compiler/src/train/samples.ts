import {
  type Dtype,
  dtypeBytes,
  elementCount,
  isTypedArray,
  PareError,
  type Tensor,
  type Tensors,
  throwIfAborted,
  type TypedArray,
  zeros,
} from "@pare/runtime/format";
import type { Example } from "../pipeline/examples.js";
import { dimsOf, type SampleDims } from "./bind-batch.js";
import { type Labels, LabelReader } from "./labels.js";

/** All but text. */
type NumberType = Exclude<Dtype, "string">;

/** One input over all samples, a row after the other. */
interface Column {
  readonly type: NumberType;
  /** Of one sample. */
  readonly dims: readonly number[];
  readonly row: number;
  readonly data: TypedArray;
}

/** Samples in memory, to be drawn in any order. */
export interface Samples {
  readonly count: number;
  readonly dims: SampleDims;
  readonly columns: Readonly<Record<string, Column>>;
  /** Null where there are none. */
  readonly labels: Labels | null;
}

/** All samples together may take this many bytes. */
const mostBytes = 2 ** 31;

/**
 * Reads samples into memory, a contiguous array for each input.
 * @param count how many there are
 * @param inputs names of those that are needed
 * @param where what reads them, for messages
 * @throws PareError DATA_MISMATCH for a sample that lacks an input or has other dims than the first, DATA_NOT_FOUND
 * where there is none, NO_MEMORY, LABELS where some have a label and some not
 */
export async function loadSamples(
  examples: AsyncIterable<Example>,
  count: number,
  inputs: readonly string[],
  where: string,
  signal?: AbortSignal,
  onNote?: (note: string) => void,
): Promise<Samples> {
  const columns = new Map<string, Column>();
  const labels = new LabelReader(where);
  let read = 0;
  for await (const { feeds, label, id } of examples) {
    throwIfAborted(signal);
    const sample = id === undefined ? String(read) : JSON.stringify(id);
    if (read === 0) openColumns(columns, feeds, inputs, count, where);
    if (read === count) break;
    for (const name of inputs) put(columns, feeds, name, read, sample, where);
    labels.add(label, sample);
    read += 1;
  }
  if (read === 0) {
    throw new PareError("DATA_NOT_FOUND", "There is no sample to learn from.", {
      where,
      hint: "Give the data at least one sample to train on.",
    });
  }
  const dims = Object.fromEntries(inputs.map((name) => [name, columns.get(name)?.dims ?? []]));
  return { count: read, dims, columns: Object.fromEntries(columns), labels: labels.finish(onNote) };
}

function openColumns(
  columns: Map<string, Column>,
  feeds: Tensors,
  inputs: readonly string[],
  count: number,
  where: string,
): void {
  let bytes = 0;
  for (const name of inputs) {
    const { type, dims } = feedOf(feeds, name, "0", where);
    if (type === "string") {
      throw new PareError("DATA_MISMATCH", `The input "${name}" is text, which has no gradient.`, {
        where,
      });
    }
    const row = elementCount(dims);
    bytes += dtypeBytes(type, row * count);
    if (bytes > mostBytes) {
      throw new PareError(
        "NO_MEMORY",
        `${count} samples take more than the ${mostBytes / 2 ** 30} GB that are held while training.`,
        { where, hint: "Train on fewer samples." },
      );
    }
    columns.set(name, { type, dims, row, data: zeros(type, row * count) });
  }
}

function put(
  columns: ReadonlyMap<string, Column>,
  feeds: Tensors,
  name: string,
  index: number,
  sample: string,
  where: string,
): void {
  const { type, dims, data } = feedOf(feeds, name, sample, where);
  const column = columns.get(name);
  if (column === undefined || !isTypedArray(data)) return;
  if (type !== column.type || dims.join() !== column.dims.join()) {
    throw new PareError(
      "DATA_MISMATCH",
      `Sample ${sample} of the input "${name}" is ${type} [${dims.join(", ")}], and the first is ${column.type} [${column.dims.join(", ")}]: training takes samples of one size.`,
      {
        where,
        hint: "Pad them to one size in the data, with a mask where the model takes one: --batch 1 does not do it.",
      },
    );
  }
  setRow(column.data, data, index * column.row);
}

function feedOf(feeds: Tensors, name: string, sample: string, where: string): Tensor {
  const feed = feeds[name];
  if (feed !== undefined) return feed;
  throw new PareError("DATA_MISMATCH", `Sample ${sample} has nothing for the input "${name}".`, {
    where,
    hint: `It has ${Object.keys(feeds).join(", ")}.`,
  });
}

/** Typed arrays of integers beyond 53 bits and of others do not mix: equal types are what the caller saw to. */
function setRow(into: TypedArray, row: TypedArray, at: number): void {
  if (into instanceof BigInt64Array || into instanceof BigUint64Array) {
    if (row instanceof BigInt64Array || row instanceof BigUint64Array) into.set(row, at);
  } else if (!(row instanceof BigInt64Array || row instanceof BigUint64Array)) into.set(row, at);
}

/**
 * The feeds of one batch, in new arrays.
 * @param order indices into the samples
 */
export function batchFeeds(
  { columns }: Samples,
  order: ArrayLike<number>,
  start: number,
  batch: number,
): Tensors {
  return Object.fromEntries(
    Object.entries(columns).map(([name, { type, dims, row, data }]) => [
      name,
      {
        type,
        dims: dimsOf(dims, batch),
        data: gathered(type, data, row, order, start, batch),
      },
    ]),
  );
}

/** The same for a model whose inputs have other names. @param inputs by the names of the columns */
export function namedFeeds(feeds: Tensors, inputs: ReadonlyMap<string, string>): Tensors {
  const named = [...inputs].flatMap(([column, input]) => {
    const feed = feeds[column];
    return feed === undefined ? [] : [[input, feed] as const];
  });
  return Object.fromEntries(named);
}

/** Some rows of a batch's feeds, as views of them. */
export function rowsOf(feeds: Tensors, from: number, count: number, batch: number): Tensors {
  if (count === batch) return feeds;
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => {
      const { type, dims, data } = tensor;
      if (type === "string" || !isTypedArray(data)) return [name, tensor];
      const row = data.length / batch;
      const rows = data.subarray(from * row, (from + count) * row);
      return [name, { type, dims: [count, ...dims.slice(1)], data: rows }];
    }),
  );
}

/** Rows of a column, one after the other. */
export function gathered(
  type: NumberType,
  data: TypedArray,
  row: number,
  order: ArrayLike<number>,
  start: number,
  batch: number,
): TypedArray {
  const into = zeros(type, row * batch);
  for (let at = 0; at < batch; at += 1) {
    const from = (order[(start + at) % order.length] ?? 0) * row;
    setRow(into, data.subarray(from, from + row), at * row);
  }
  return into;
}
