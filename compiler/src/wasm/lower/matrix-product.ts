import type { Node, ValueId } from "../../ir/index.js";
import { type Epilogue, usesOther } from "../kernels/epilogue.js";
import { floatBytes, laneCount, vectorsOf } from "../kernels/kernel.js";
import { matrix } from "../kernels/matrix.js";
import { type Axis, balanced, collapsed } from "../kernels/nest.js";
import { placeAt } from "../plan/plan.js";
import {
  axesOf,
  orderOf,
  permuted,
  reshaped,
  rowMajor,
  sizeAt,
  stepAt,
  type View,
  viewOf,
  widened,
} from "../plan/view.js";
import { absorbFollowers } from "./followers.js";
import { joinedAxes } from "./image.js";
import type { LoweringRow } from "./lowering-row.js";
import { multipliedRows } from "./row-rules.js";
import type { Lowering } from "./lowering.js";
import type { NodeFacts } from "./node-facts.js";
import type { Packing } from "./packed-integers.js";
import {
  type ConstantMatrices,
  packedMatrices,
  packedView,
  panelVectors,
  type Panels,
} from "./panels.js";

export const matMulRow: LoweringRow = {
  rows: multipliedRows,
  lower(node, l) {
    const [left, right] = [node.required(0), node.required(1)];
    const [a, b, y] = [l.dims(left), l.dims(right), l.dims(node.output())];
    // A vector is a matrix of one row, or of one column; its axis is not in the result.
    const hasRows = a.length > 1;
    const hasColumns = b.length > 1;
    const batch = y.slice(0, y.length - (hasRows ? 1 : 0) - (hasColumns ? 1 : 0));
    const rank = batch.length + 2;
    const x = widened(l.view(left), rank);
    const matrices = hasColumns ? b : [...b, 1];
    const [depth = 1, n = 1] = matrices.slice(-2);
    const weights =
      l.floats(right) === undefined
        ? packedView(l, hasColumns ? l.view(right) : column(l.view(right)), rank)
        : { value: right, arranged: asTheyAre, dims: matrices };
    const dims = [...batch, hasRows ? (a.at(-2) ?? 1) : 1, n];
    const reading = readingOf(x, depth);
    lowerProduct(l, { x, reading, weights, dims, node, isWhole: hasRows && hasColumns });
  },
};

const asTheyAre: Packing = (numbers) => numbers;

/** A vector as a matrix of one column. */
function column(view: View): View {
  return viewOf(view.place, [...view.dims, 1], [...view.steps, floatBytes]);
}

export const gemmRow: LoweringRow = {
  refuse(node) {
    if (node.attributes.float("alpha", 1) !== 1 && !node.isConstant(1))
      return "a factor of a product of two computed matrices is not compiled";
    if (node.input(2) === undefined) return undefined;
    const [dims, n] = [node.dims(2), node.outputDims().at(-1)];
    const isRow = dims.slice(0, -1).every((size) => size === 1) && [1, n].includes(dims.at(-1));
    return isRow && node.isConstant(2) ? undefined : "the third operand must be a constant row";
  },
  lower(node, l) {
    const { attributes } = node;
    const [left, right] = [node.required(0), node.required(1)];
    const [m = 1, n = 1] = node.outputDims();
    const alpha = attributes.float("alpha", 1);
    const turnsLeft = attributes.int("transA", 0) !== 0;
    const turnsRight = attributes.int("transB", 0) !== 0;
    const depth = l.dims(left)[turnsLeft ? 0 : 1] ?? 1;
    const isConstant = l.floats(right) !== undefined;
    const bias = biasRow(node, l, n);
    const rest = { dims: [m, n], node, bias, isWhole: true };
    const weightAt = (k: number, j: number) => (turnsRight ? j * depth + k : k * n + j);
    const image = turnsLeft ? undefined : l.pending(left);
    /** The k-th of all that are summed up lies where `order` says. */
    const matricesBy = (order: (k: number) => number): ConstantMatrices => ({
      value: right,
      arranged: (numbers) =>
        Float32Array.from({ length: depth * n }, (_, at) => {
          return numbers[weightAt(order(Math.floor(at / n)), at % n)] ?? 0;
        }),
      factor: alpha,
      dims: [depth, n],
    });
    if (isConstant && image !== undefined && sizeAt(image, 0) === m) {
      const { reading, order } = readingInMemory(image);
      const x = viewOf(image.place, [m, 1], [stepAt(image, 0), 0]);
      const weights = matricesBy((k) => order[k] ?? 0);
      lowerProduct(l, { x, reading, weights, ...rest });
      return;
    }
    const x = turnsLeft ? permuted(l.view(left), [1, 0]) : l.view(left);
    const reading = readingOf(x, depth);
    if (!isConstant) {
      const view = turnsRight ? permuted(l.view(right), [1, 0]) : l.view(right);
      lowerProduct(l, { x, reading, weights: packedView(l, view, 2), ...rest });
      return;
    }
    lowerProduct(l, { x, reading, weights: matricesBy((k) => k), ...rest });
  },
};

function biasRow(node: NodeFacts, l: Lowering, n: number): Float32Array | undefined {
  const id = node.input(2);
  const row = id === undefined ? undefined : l.floats(id);
  if (row === undefined) return undefined;
  const beta = node.attributes.float("beta", 1);
  return Float32Array.from({ length: n }, (_, j) => beta * (row[row.length === 1 ? 0 : j] ?? 0));
}

/** How a row of the left operand is read: loops around a run. */
interface Reading {
  readonly taps: readonly Axis[];
  readonly run: { readonly count: number; readonly step: number };
}

/** What is summed over is the last axis. */
function readingOf(x: View, depth: number): Reading {
  const step = depth === 1 ? floatBytes : stepAt(x, x.dims.length - 1);
  return { taps: [], run: { count: depth, step } };
}

/**
 * A flattened image is read as it lies, channels innermost, and not put in order first: the weights are.
 * @returns with `order`, for every step of the sum, which element of the flattened row it is
 */
function readingInMemory(image: View): {
  readonly reading: Reading;
  readonly order: readonly number[];
} {
  const inner = orderOf(image).filter((axis) => axis !== 0);
  const loops = collapsed(axesOf([image], inner));
  const last = loops.at(-1) ?? { count: 1, steps: [floatBytes] };
  const run = { count: last.count, step: last.steps[0] ?? floatBytes };
  let order: readonly number[] = [0];
  for (const axis of inner) {
    const step = image.dims.slice(axis + 1).reduce((product, size) => product * size, 1);
    order = order.flatMap((base) =>
      Array.from({ length: sizeAt(image, axis) }, (_, i) => base + i * step),
    );
  }
  return { reading: { taps: loops.slice(0, -1), run }, order };
}

interface Product {
  /** [batch…, rows, …]: how rows and matrices of the left operand follow on one another. */
  readonly x: View;
  readonly reading: Reading;
  /** In panels already, or constant: [batch…, depth, columns]. */
  readonly weights: Panels | ConstantMatrices;
  /** [batch…, rows, columns] */
  readonly dims: readonly number[];
  readonly node: NodeFacts;
  readonly bias?: Float32Array | undefined;
  /** The result has these axes; else an operand was a vector, and it lacks one or two. */
  readonly isWhole: boolean;
}

function lowerProduct(
  l: Lowering,
  { x, reading, weights, dims, node, isWhole, ...given }: Product,
): void {
  const [n, rank] = [dims.at(-1) ?? 1, dims.length];
  const added = given.bias === undefined && isWhole ? absorbBias(l, node.output(), n) : undefined;
  const bias = given.bias ?? added?.bias;
  const made = added?.output ?? node.output();
  const { epilogue, other, result } = isWhole
    ? absorbFollowers(l, made)
    : { epilogue: [], other: undefined, result: made };
  const order = isWhole ? resultOrder(l, result) : rowMajor(l.dims(result).length);
  const target = l.allocate(result, order, { exact: !isWhole });
  const y = isWhole ? target : (reshaped(target, dims) ?? target);
  const isPadded = y.padded && y.lanes === rank - 1;
  let z = other === undefined ? undefined : l.operand(other, rank, order);
  // What is beyond its last column would get into lanes that pad the result.
  if (z !== undefined && isPadded && n % laneCount > 0) z = l.withLanes(z, rank - 1, true);
  const row = new Float32Array(vectorsOf(n) * laneCount);
  row.set(bias ?? []);
  const biasPlace = bias === undefined ? undefined : l.plan.constant(row);

  for (const part of partsOf(l, weights, reading, epilogue, dims)) {
    const { panels } = part;
    const beside = part.onto ? y : z;
    const axis = (a: number): Axis => ({
      count: dims[a] ?? 1,
      steps: [
        stepOf(x, a),
        panels.steps[a] ?? 0,
        0,
        stepOf(y, a),
        beside === undefined ? 0 : stepOf(beside, a),
      ],
    });
    const batch = collapsed(rowMajor(rank - 2).map(axis));
    const last = batch.at(-1);
    // Matrices that share their weights are one with more rows.
    const shares = last !== undefined && last.steps[1] === 0;
    const [rows, columns] = joinedAxes([
      shares ? withoutWeights(last) : { count: 1, steps: [0, 0, 0] },
      withoutWeights(axis(rank - 2)),
    ]);
    l.plan.step(
      matrix,
      {
        batch: shares ? batch.slice(0, -1) : batch,
        rows,
        columns,
        taps: reading.taps,
        run: { count: part.depth, step: reading.run.step },
        outputs: n,
        panel: panelVectors,
        bias: biasPlace !== undefined && !part.onto,
        epilogue: part.epilogue,
        padded: isPadded,
      },
      [
        placeAt(x.place, part.from * reading.run.step),
        panels.place,
        part.onto ? panels.place : (biasPlace ?? panels.place),
        y.place,
        beside?.place ?? y.place,
      ],
    );
  }
}

/** Steps of a sum of which a panel's weights stay in the nearest cache. */
const mostDepth = 768;

/** A part of a product's sum. */
interface Part {
  readonly panels: Panels;
  readonly from: number;
  readonly depth: number;
  /** It is added to what the part before it left in the result. */
  readonly onto: boolean;
  readonly epilogue: readonly Epilogue[];
}

/** A long sum of many rows is made in parts; what is done to a result is done to the last, an addition to the first. */
function partsOf(
  l: Lowering,
  weights: Panels | ConstantMatrices,
  { taps, run }: Reading,
  epilogue: readonly Epilogue[],
  dims: readonly number[],
): readonly Part[] {
  const rank = dims.length;
  const one = { from: 0, depth: run.count, onto: false, epilogue };
  if ("place" in weights) return [{ panels: weights, ...one }];
  const { arranged, dims: matrices } = weights;
  const [first, ...rest] = epilogue;
  const isFirst = first?.kind === "add-other";
  const isSplit =
    run.count > mostDepth &&
    taps.length === 0 &&
    matrices.length === 2 &&
    (dims.at(-2) ?? 1) >= fewRows &&
    (isFirst || !usesOther(epilogue));
  if (!isSplit) return [{ panels: packedMatrices(l, weights, rank), ...one }];
  const n = matrices[1] ?? 1;
  const parts = balanced(run.count, mostDepth / 2).flatMap(({ size, count }) =>
    Array.from({ length: count }, () => size),
  );
  let from = 0;
  return parts.map((depth, at) => {
    const start = from;
    const own: Packing = (numbers) => arranged(numbers).subarray(start * n, (start + depth) * n);
    from += depth;
    const onto: readonly Epilogue[] = at === 0 ? [] : [{ kind: "add-other" }];
    const before = at === 0 && isFirst ? [first] : [];
    const after = at === parts.length - 1 ? (isFirst ? rest : epilogue) : [];
    return {
      panels: packedMatrices(l, { ...weights, arranged: own, dims: [depth, n] }, rank),
      from: start,
      depth,
      onto: at > 0,
      epilogue: [...onto, ...before, ...after],
    };
  });
}

/** So few rows read weights once. */
const fewRows = 12;

/** Steps of input, output, other. */
function withoutWeights({ count, steps }: Axis): Axis {
  return { count, steps: [steps[0] ?? 0, steps[3] ?? 0, steps[4] ?? 0] };
}

function stepOf(view: View, axis: number): number {
  return sizeAt(view, axis) === 1 ? 0 : stepAt(view, axis);
}

/** A constant vector that is added to every row of a product, by a node that nobody else sees. */
function absorbBias(
  l: Lowering,
  id: ValueId,
  n: number,
): { readonly bias: Float32Array; readonly output: ValueId } | undefined {
  const [reader, ...more] = l.graph.consumers(id);
  if (reader === undefined || more.length > 0 || l.graph.isOutput(id)) return undefined;
  const other = reader.inputs.find((input) => input !== id);
  const output = reader.outputs[0];
  if (!isPlain(reader, "Add") || !isThere(other) || !isThere(output)) return undefined;
  const bias = l.floats(other);
  const dims = l.dims(other);
  const isRow = dims.at(-1) === n && dims.slice(0, -1).every((size) => size === 1);
  if (bias === undefined || !isRow || l.dims(output).join() !== l.dims(id).join()) return undefined;
  l.absorbed.add(reader);
  return { bias, output };
}

function isPlain(node: Node, op: string): boolean {
  return node.op === op && node.domain === "";
}

function isThere(id: ValueId | null | undefined): id is ValueId {
  return id !== null && id !== undefined;
}

/** Row-major, unless what reads it transposes it: then as the transposition wants it, if columns stay innermost. */
function resultOrder(l: Lowering, id: ValueId): readonly number[] {
  const rank = l.dims(id).length;
  const [reader, ...more] = l.graph.consumers(id);
  if (reader !== undefined && isPlain(reader, "Transpose") && more.length === 0) {
    const perm = reader.attributes.get("perm");
    if (perm?.type === "ints" && Number(perm.value.at(-1)) === rank - 1 && !l.graph.isOutput(id))
      return perm.value.map(Number);
  }
  return rowMajor(rank);
}
