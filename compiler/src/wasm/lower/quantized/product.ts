import type { ValueId } from "../../../ir/index.js";
import { inFours } from "../../kernels/kernel.js";
import { matrixI8, packedI8At, packedI8Length } from "../../kernels/matrix-i8.js";
import { type Axis, collapsed } from "../../kernels/nest.js";
import { packedTerms } from "../../kernels/rounding-i8.js";
import { axesOf, orderOf, rowMajor, sizeAt, stepAt, type View } from "../../plan/view.js";
import { joinedAxes } from "../image.js";
import type { Lowering } from "../lowering.js";
import type { NodeFacts } from "../node-facts.js";
import { blockOf } from "./blocks.js";
import { allocateBytes, denseBytes, hasWholeFours } from "./bytes.js";
import { encodedBy } from "./quantization.js";
import { roundedResult } from "./rounded-result.js";
import { integerBias, integerWeights, sumTerms } from "./weighted-sum.js";

/** A product of rows of bytes with a constant matrix of integers. @returns whether it is one */
export function multiplyBytes(node: NodeFacts, l: Lowering): boolean {
  const isGemm = node.node.op === "Gemm";
  const { attributes } = node;
  const turns = isGemm && attributes.int("transB", 0) !== 0;
  const scales =
    isGemm && (attributes.int("transA", 0) !== 0 || attributes.float("alpha", 1) !== 1);
  const encoded = encodedBy(l.graph, node.input(0));
  const stored = l.stored.get(node.required(1));
  const weights = integerWeights(stored, turns ? 0 : 1);
  const biasId = isGemm ? node.input(2) : undefined;
  if (encoded === undefined || weights === undefined || scales) return false;
  if (stored?.dims.length !== 2 || node.dims(0).length < 2) return false;
  if (biasId !== undefined && (l.floats(biasId)?.length ?? 0) > weights.channels) return false;
  const bias = integerBias(l, biasId, attributes.float("beta", 1));
  if (bias === undefined) return false;
  const rounded = roundedResult(l, node.output(), { sum: true, curve: true });
  const terms = sumTerms(encoded, weights, bias, rounded);
  if (terms === undefined) return false;
  rounded?.nodes.forEach((each) => l.absorbed.add(each));

  const { x, reading } = rowsOf(l, encoded.bytes, weights.depth);
  const rank = node.outputDims().length;
  const y = resultOf(l, node.output(), rounded?.bytes);
  const other = rounded?.other;
  const z = other === undefined ? undefined : denseRows(l, other.bytes);
  const { channels } = weights;
  const total = reading.taps.reduce((product, { count }) => product * count, reading.run);
  const packed = new Int8Array(packedI8Length(total, channels));
  reading.order.forEach((from, k) => {
    if (from === undefined) return;
    for (let n = 0; n < channels; n += 1)
      packed[packedI8At(k, n, total, channels)] = weights.at(n, from);
  });
  const loops = collapsed(
    rowMajor(rank - 1).map((axis): Axis => {
      const [from, beside] = [stepAt(x, axis), z === undefined ? 0 : stepAt(z, axis)];
      return { count: sizeAt(y, axis), steps: [from, stepAt(y, axis), beside] };
    }),
  );
  const [rows, columns] = joinedAxes(loops.slice(-2));
  const batch = loops.slice(0, -2).map(({ count, steps: [from = 0, to = 0, beside = 0] }) => ({
    count,
    steps: [from, 0, 0, to, beside],
  }));
  const block = blockOf(rows, columns, packed.length);
  l.plan.step(
    matrixI8,
    {
      batch,
      rows,
      columns,
      ...(block !== undefined && { block }),
      taps: reading.taps,
      run: reading.run,
      outputs: channels,
      activations: encoded.most < 128 ? "7-bit" : "8-bit",
      ...(terms.other !== undefined && { other: terms.other }),
      result: terms.result,
      padded: y.element === "u8" ? hasWholeFours(y) : y.padded,
    },
    [
      x.place,
      l.plan.constant(packed),
      l.plan.constant(packedTerms(terms.starts, terms.factors, channels)),
      y.place,
      z?.place ?? y.place,
    ],
  );
  return true;
}

function resultOf(l: Lowering, id: ValueId, bytes: ValueId | undefined): View {
  const order = rowMajor(l.dims(id).length);
  return bytes === undefined
    ? l.allocate(id, order, { exact: true })
    : allocateBytes(l, bytes, { order });
}

/** How a row is read: loops around a run, and for every byte of it which element it is, if any. */
interface Reading {
  readonly taps: readonly Axis[];
  readonly run: number;
  readonly order: readonly (number | undefined)[];
}

/** Rows of bytes; a flattened image is read as it lies, channels innermost, and not put in order first. */
function rowsOf(
  l: Lowering,
  id: ValueId,
  depth: number,
): { readonly x: View; readonly reading: Reading } {
  const image = l.pending(id);
  const rows = l.dims(id);
  if (image !== undefined && rows.length === 2 && sizeAt(image, 0) === rows[0]) {
    const inner = orderOf(image).filter((axis) => axis !== 0);
    const loops = collapsed(axesOf([image], inner));
    const last = loops.at(-1);
    if (last !== undefined && last.steps[0] === 1) {
      let elements: readonly number[] = [0];
      for (const axis of inner) {
        const step = image.dims.slice(axis + 1).reduce((product, size) => product * size, 1);
        elements = elements.flatMap((base) =>
          Array.from({ length: sizeAt(image, axis) }, (_, i) => base + i * step),
        );
      }
      const run = inFours(last.count);
      const order = elements.flatMap((element, at) => {
        const isEnd = (at + 1) % last.count === 0;
        const padding = Array.from({ length: run - last.count }, () => undefined);
        return isEnd ? [element, ...padding] : [element];
      });
      const x = { ...image, dims: [rows[0] ?? 1, depth], steps: [stepAt(image, 0), 1] };
      return { x, reading: { taps: loops.slice(0, -1), run, order } };
    }
  }
  const order = Array.from({ length: depth }, (_, k) => k);
  return { x: denseRows(l, id), reading: { taps: [], run: inFours(depth), order } };
}

/** Bytes whose last axis lies without gaps. */
export function denseRows(l: Lowering, id: ValueId): View {
  const view = l.view(id);
  const last = view.dims.length - 1;
  return stepAt(view, last) === 1 || sizeAt(view, last) === 1 ? view : denseBytes(l, view);
}
