import { unpackNumbers } from "../elements/arrays.js";
import { denseOf } from "../elements/dense.js";
import type { Some } from "../schema/cells.js";
import type { detectionSchemas } from "../schema/detection.js";
import type { EvaluateContext, Evaluation } from "./evaluation.js";

/** All of it is computed in floats, as engines do: boxes on a grid meet a threshold exactly, and rounding decides. */
const round = Math.fround;

/** Corners of a box, in order. */
interface Box {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

function boxAt(boxes: ArrayLike<number>, at: number, centred: boolean): Box {
  const [a = 0, b = 0, c = 0, d = 0] = [0, 1, 2, 3].map((i) => boxes[at + i]);
  // [y1, x1, y2, x2] from any two opposite corners, or [x, y, width, height] about the centre.
  const [width, height] = [round(c / 2), round(d / 2)];
  if (centred)
    return {
      top: round(b - height),
      left: round(a - width),
      bottom: round(b + height),
      right: round(a + width),
    };
  return {
    top: Math.min(a, c),
    left: Math.min(b, d),
    bottom: Math.max(a, c),
    right: Math.max(b, d),
  };
}

/** Intersection over union; 0 where a box is empty. */
function overlap(a: Box, b: Box): number {
  const height = round(Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const width = round(Math.min(a.right, b.right) - Math.max(a.left, b.left));
  const [areaA, areaB] = [areaOf(a), areaOf(b)];
  if (height <= 0 || width <= 0 || areaA <= 0 || areaB <= 0) return 0;
  const common = round(height * width);
  return round(common / round(round(areaA + areaB) - common));
}

function areaOf({ top, left, bottom, right }: Box): number {
  return round(round(bottom - top) * round(right - left));
}

/** The indices of the boxes that stay, best first. @param threshold none where all scores count, infinite ones too */
function suppressed(
  boxes: readonly Box[],
  scores: readonly number[],
  limit: number,
  iou: number,
  threshold: number | undefined,
): readonly number[] {
  const order = [...scores.keys()].filter(
    (box) => threshold === undefined || (scores[box] ?? 0) > threshold,
  );
  order.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const kept: number[] = [];
  for (const candidate of order) {
    if (kept.length >= limit) break;
    const box = boxes[candidate];
    if (box !== undefined && kept.every((other) => overlap(box, boxes[other] ?? box) <= iou))
      kept.push(candidate);
  }
  return kept;
}

function evaluate({ input, inputs, attributes }: EvaluateContext) {
  const [boxes, scores] = [input(0), input(1)];
  const [allBoxes, allScores] = [unpackNumbers(boxes), unpackNumbers(scores)];
  const scalar = (index: number) => {
    const given = inputs[index] ?? undefined;
    return given === undefined ? undefined : unpackNumbers(given)[0];
  };
  const centred = attributes.int("center_point_box", 0) === 1;
  const [batches = 0, classes = 0, count = 0] = scores.dims;
  const rows: number[] = [];
  for (let batch = 0; batch < batches; batch += 1) {
    const own = Array.from({ length: count }, (_, box) =>
      boxAt(allBoxes, (batch * count + box) * 4, centred),
    );
    for (let kind = 0; kind < classes; kind += 1) {
      const start = (batch * classes + kind) * count;
      const ownScores = Array.from({ length: count }, (_, box) => allScores[start + box] ?? 0);
      for (const box of suppressed(own, ownScores, scalar(2) ?? 0, scalar(3) ?? 0, scalar(4)))
        rows.push(batch, kind, box);
    }
  }
  return [denseOf("int64", [rows.length / 3, 3], rows)];
}

export const detectionReferences: Some<typeof detectionSchemas, Evaluation> = {
  NonMaxSuppression: evaluate,
};
