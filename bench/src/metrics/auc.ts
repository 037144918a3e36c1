/** A NaN has no rank, and equals not even itself: what goes by order or by ties has to look for it first. */
function holdsNaN(scores: ArrayLike<number>): boolean {
  for (let index = 0; index < scores.length; index++) if (Number.isNaN(scores[index])) return true;
  return false;
}

/**
 * Area under the ROC curve, by the Mann–Whitney statistic with mid-ranks, so that ties count one half.
 * NaN when one of the classes is missing, or a score is NaN.
 * @param scores higher means more likely positive
 */
export function auc(scores: ArrayLike<number>, positive: ArrayLike<number>): number {
  if (holdsNaN(scores)) return Number.NaN;
  const order = Uint32Array.from({ length: scores.length }, (_, index) => index).sort(
    (a, b) => (scores[a] as number) - (scores[b] as number),
  );
  let positives = 0;
  let rankSum = 0;
  for (let start = 0; start < order.length;) {
    let end = start;
    let tiedPositives = 0;
    const score = scores[order[start] as number];
    while (end < order.length && scores[order[end] as number] === score)
      tiedPositives += positive[order[end++] as number] as number;
    positives += tiedPositives;
    rankSum += tiedPositives * ((start + 1 + end) / 2);
    start = end;
  }
  const negatives = order.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/**
 * The score at and above which to say "positive" so that hits minus false alarms are the most (Youden's J). NaN when a
 * score is NaN.
 */
export function bestThreshold(scores: readonly number[], positive: readonly number[]): number {
  if (holdsNaN(scores)) return Number.NaN;
  const order = scores
    .map((_, index) => index)
    .sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const positives = positive.reduce((sum, each) => sum + each, 0);
  const negatives = positive.length - positives;
  let hits = 0;
  let alarms = 0;
  let best = -Infinity;
  let threshold = Infinity;
  order.forEach((index, rank) => {
    if (positive[index]) hits++;
    else alarms++;
    const next = order[rank + 1];
    if (next !== undefined && scores[next] === scores[index]) return;
    const youden = hits / Math.max(1, positives) - alarms / Math.max(1, negatives);
    if (youden > best) {
      best = youden;
      const lowest = scores[index] as number;
      const middle = (lowest + (next === undefined ? lowest : (scores[next] as number))) / 2;
      threshold = Number.isFinite(middle) ? middle : lowest;
    }
  });
  return threshold;
}
