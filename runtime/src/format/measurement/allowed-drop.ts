/** 0.96 − 0.95 is a little over 0.01 in binary. */
const rounding = 1e-9;

/** Whether a metric may fall by so much: by the rule of choice, and by every check of what was chosen. */
export function isAllowedDrop(drop: number, maxDrop: number): boolean {
  return drop <= maxDrop + rounding;
}
