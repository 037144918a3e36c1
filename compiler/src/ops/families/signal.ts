/** cos and ± sin of 2π·index/count, in double precision: from the first eighth of the circle, so that all mirror exactly. */
export function turnAt(index: number, count: number): readonly [cos: number, sin: number] {
  const quarters = (4 * (index % count)) / count;
  const quarter = Math.round(quarters);
  // (4·index − quarter·count)/count is exact up to its one division.
  const angle = ((4 * (index % count) - quarter * count) / count) * (Math.PI / 2);
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  switch (quarter % 4) {
    case 0:
      return [cos, sin];
    case 1:
      return [-sin, cos];
    case 2:
      return [-cos, -sin];
    default:
      return [sin, -cos];
  }
}

/** For how many frequencies a transform of so many samples gives a number: a real signal's own ones, or all. */
export function binsOf(length: number, onesided: boolean): number {
  return onesided ? Math.floor(length / 2) + 1 : length;
}

/** What the weights of mel frequencies are made of: how many there are, of which transform, between which edges. */
export interface MelSizes {
  readonly mels: number;
  /** Samples of the transform, and how many there are in a second. */
  readonly length: number;
  readonly rate: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The frequencies of a transform between which the triangles of mel frequencies lie: two more than triangles, at equal
 * distances by the mel scale.
 */
export function melPoints(sizes: MelSizes): readonly number[] {
  return Array.from({ length: sizes.mels + 2 }, (_, at) => melPoint(sizes, at));
}

/** Are all of them the transform's? They rise from the first to the last. */
export function isMelWithin(sizes: MelSizes): boolean {
  const [first, last] = [melPoint(sizes, 0), melPoint(sizes, sizes.mels + 1)];
  return sizes.rate > 0 && first >= 0 && last >= first && last < binsOf(sizes.length, true);
}

function melPoint({ mels, length, rate, low, high }: MelSizes, at: number): number {
  const [lowest, highest] = [melOf(low), melOf(high)];
  const step = (highest - lowest) / (mels + 2);
  return Math.floor(((length + 1) * hertzOf(lowest + step * at)) / rate);
}

const melOf = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
const hertzOf = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);
