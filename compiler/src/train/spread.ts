import type { Objective } from "./objectives.js";
import { TeacherAnswers } from "./teacher.js";

/** Of a mean square: what varies less is held to be nearly what it was, and not to its last bits. */
const leastShare = 1e-6;

/** Beyond, float32 has no such sums of squares. */
const mostDoublings = 60;

/** So many samples tell how far a teacher's answers lie apart. */
const weighedBy = 8;

/** Of several values, none outweighs the others by its unit. Who names signals weighs them, too. */
export async function weighed(
  objectives: readonly Objective[],
  asked: Omit<Parameters<typeof TeacherAnswers.open>[0], "taught" | "batch">,
): Promise<readonly Objective[]> {
  const values = new Set(objectives.map(({ value }) => value));
  if (values.size < 2) return objectives;
  const own = objectives.flatMap((objective) => {
    const { target, dims } = objective;
    return target.from === "teacher" ? [{ objective, value: target.value, dims }] : [];
  });
  const batch = Math.min(weighedBy, asked.samples.count);
  const teacher = await TeacherAnswers.open({ ...asked, taught: own, batch, keptBytes: 0 });
  try {
    const order = Int32Array.from({ length: batch }, (_, index) => index);
    const answers = new Map<Objective, Float32Array>();
    for (const [index, answer] of (await teacher.batchOf(order, 0)).entries()) {
      const { objective } = own[index] ?? {};
      if (objective !== undefined) answers.set(objective, Float32Array.from(answer, Number));
    }
    return weighBySpread(objectives, answers, batch);
  } finally {
    await teacher.dispose();
  }
}

/**
 * Weights objectives of several values alike, boxes in pixels and scores from 0 to 1: each by what the best answer that is
 * the same for all samples would lose. In powers of two, which change no bits of what is learned of one alone.
 * @param answers the teacher's to some samples, of each objective that is its
 */
export function weighBySpread(
  objectives: readonly Objective[],
  answers: ReadonlyMap<Objective, Float32Array>,
  samples: number,
): readonly Objective[] {
  return objectives.map((objective) => {
    const seen = answers.get(objective);
    if (seen === undefined) return objective;
    const lost = lostByConstant(objective, seen, samples);
    const exponent = Math.round(-Math.log2(lost));
    return Math.abs(exponent) <= mostDoublings
      ? { ...objective, weight: objective.weight * 2 ** exponent }
      : objective;
  });
}

/** A mean over all places. Of one sample, all its numbers are the same place. */
function lostByConstant({ loss }: Objective, seen: Float32Array, samples: number): number {
  switch (loss.kind) {
    case "mse":
      return meanOver(seen, samples, variance);
    case "binary-cross-entropy": {
      const isScore = loss.targets === "scores";
      return meanOver(isScore ? seen.map(sigmoid) : seen, samples, information);
    }
    // They are the same for any scale.
    case "cosine":
    case "divergence":
    case "cross-entropy":
      return 1;
    default:
      return loss satisfies never;
  }
}

function meanOver(
  values: Float32Array,
  samples: number,
  lostOf: (values: Float32Array) => number,
): number {
  if (samples < 2) return lostOf(values);
  const row = values.length / samples;
  const place = new Float32Array(samples);
  let sum = 0;
  for (let at = 0; at < row; at += 1) {
    for (let sample = 0; sample < samples; sample += 1)
      place[sample] = values[sample * row + at] ?? 0;
    sum += lostOf(place);
  }
  return (sum / row) * (samples / (samples - 1));
}

function variance(values: Float32Array): number {
  let [sum, squares] = [0, 0];
  for (const value of values) sum += value;
  const mean = sum / values.length;
  for (const value of values) squares += (value - mean) ** 2;
  return squares / values.length + leastShare * mean ** 2;
}

/** The entropy of the mean over the mean of the entropies, in nats. */
function information(shares: Float32Array): number {
  let [sum, own] = [0, 0];
  for (const share of shares) {
    sum += share;
    own += entropy(share);
  }
  const mean = sum / shares.length;
  return entropy(mean) - own / shares.length + leastShare * mean;
}

function entropy(share: number): number {
  return surprise(share) + surprise(1 - share);
}

function surprise(part: number): number {
  return part > 0 ? -part * Math.log(part) : 0;
}

function sigmoid(score: number): number {
  return 1 / (1 + Math.exp(-score));
}
