/** One axis of a plot: where its values stand, and which of them are named. */
export interface Axis {
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** A linear axis from one value to another, between two places of the drawing, with four or five round ticks. */
export function axis(from: number, to: number, start: number, end: number): Axis {
  const span = to - from || 1;
  const raw = span / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((each) => each * power >= raw) ?? 10) * power;
  const ticks: number[] = [];
  for (let index = Math.ceil(from / step); index * step <= to + step / 1e6; index++)
    ticks.push(index * step);
  return { ticks, at: (value) => rounded(start + ((value - from) / span) * (end - start)) };
}

/** Tenths of a pixel are enough. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
