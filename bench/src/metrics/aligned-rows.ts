import { bytesOf, elementCount, isTypedArray, numbersOf, type Tensor, type Tensors } from "@pare/runtime/format"; // prettier-ignore

/** More numbers are not held against each other, to find out which rows are the same. */
const mostCompared = 2 ** 22;
/** A row of more, such as a mask, is known by the others that belong to it. */
const mostOfRow = 64;
/** Of a column's largest number so much counts as its spread. */
const leastSpread = 1e-3;

/**
 * A candidate's outputs with their rows in the float model's order: where a model selects boxes, the same box may come before
 * another or behind it. Each row of the float model's, in their order, takes the nearest of the candidate's that is left, each
 * number by the spread of its column; what is left over comes behind.
 * @param groups outputs whose rows are the same things, by name, with the axis of their rows; what is before that is one
 */
export function alignedRows(
  outputs: Tensors,
  float: Tensors,
  groups: readonly Readonly<Record<string, number>>[],
): Tensors {
  if (outputs === float) return outputs;
  const aligned: Record<string, Tensor> = { ...outputs };
  for (const group of groups) {
    const own = tables(outputs, group);
    const order = ordered(own, tables(float, group));
    if (order !== null)
      for (const { name, tensor, rows } of own) aligned[name] = inOrder(tensor, rows, order);
  }
  return aligned;
}

/** An output as rows of numbers. */
interface Table {
  readonly name: string;
  readonly tensor: Tensor;
  readonly numbers: ArrayLike<number>;
  readonly rows: number;
  readonly width: number;
}

function tables(outputs: Tensors, group: Readonly<Record<string, number>>): readonly Table[] {
  return Object.entries(group).flatMap(([name, axis]) => {
    const tensor = outputs[name];
    const numbers = tensor && numbersOf(tensor);
    if (tensor === undefined || !numbers || elementCount(tensor.dims.slice(0, axis)) !== 1)
      return [];
    const [rows = 0, ...inner] = tensor.dims.slice(axis);
    return [{ name, tensor, numbers, rows, width: elementCount(inner) }];
  });
}

/** Which of the candidate's rows comes when; null where that is not told. */
function ordered(own: readonly Table[], float: readonly Table[]): readonly number[] | null {
  const [count, others] = [own[0]?.rows ?? 0, float[0]?.rows ?? 0];
  const isAlike =
    own.length === float.length &&
    own.every((one, at) => one.rows === count && one.width === float[at]?.width) &&
    float.every(({ rows }) => rows === others);
  const compared = own.flatMap((one, at) => {
    const other = float[at];
    return other === undefined || one.width > mostOfRow
      ? []
      : [{ one, other, scales: scalesOf(other) }];
  });
  const width = compared.reduce((sum, { one }) => sum + one.width, 0);
  if (!isAlike || width === 0 || count * others * width > mostCompared) return null;
  const distance = (row: number, to: number, limit: number): number => {
    let sum = 0;
    for (const { one, other, scales } of compared)
      for (let at = 0; at < one.width && sum < limit; at += 1) {
        const apart = (one.numbers[row * one.width + at] ?? 0) - (other.numbers[to * one.width + at] ?? 0); // prettier-ignore
        sum += (apart * (scales[at] ?? 0)) ** 2;
      }
    return sum;
  };
  const left = new Set(Array.from({ length: count }, (_, row) => row));
  const order: number[] = [];
  for (let to = 0; to < others && left.size > 0; to += 1) {
    let [best, least] = [-1, Infinity];
    for (const row of left) {
      const apart = distance(row, to, least);
      if (apart < least || best < 0) [best, least] = [row, apart];
    }
    order.push(best);
    left.delete(best);
  }
  return [...order, ...left];
}

/** Of each column, 1 over its spread over the rows. */
function scalesOf({ numbers, rows, width }: Table): readonly number[] {
  return Array.from({ length: width }, (_, column) => {
    let [sum, squares, largest] = [0, 0, 0];
    for (let row = 0; row < rows; row += 1) {
      const value = numbers[row * width + column] ?? 0;
      sum += value;
      squares += value * value;
      largest = Math.max(largest, Math.abs(value));
    }
    const variance = Math.max(0, squares / rows - (sum / rows) ** 2);
    const spread = Math.max(Math.sqrt(variance), leastSpread * largest);
    return spread > 0 && Number.isFinite(spread) ? 1 / spread : 0;
  });
}

function inOrder(tensor: Tensor, rows: number, order: readonly number[]): Tensor {
  const { data } = tensor;
  if (!isTypedArray(data)) return tensor;
  const moved = data.slice();
  const [from, to] = [bytesOf(data), bytesOf(moved)];
  const each = from.byteLength / Math.max(1, rows);
  for (const [at, row] of order.entries())
    to.set(from.subarray(row * each, (row + 1) * each), at * each);
  return { ...tensor, data: moved };
}
