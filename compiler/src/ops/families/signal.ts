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

/**
 * The frequencies of a transform between which the triangles of mel frequencies lie: two more than triangles, at equal
 * distances by the mel scale. Undefined where one of them is none of the transform's.
 */
export function melPoints(
  mels: number,
  length: number,
  rate: number,
  [low, high]: readonly [number, number],
): readonly number[] | undefined {
  const [lowest, highest] = [melOf(low), melOf(high)];
  const step = (highest - lowest) / (mels + 2);
  const points = Array.from({ length: mels + 2 }, (_, at) =>
    Math.floor(((length + 1) * hertzOf(lowest + step * at)) / rate),
  );
  const bins = binsOf(length, true);
  const isIn = (point: number, at: number): boolean =>
    point >= 0 && point < bins && point >= (points[at - 1] ?? 0);
  return rate > 0 && points.every(isIn) ? points : undefined;
}

const melOf = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
const hertzOf = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);
