import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { EventLoopSpin, mostTurns } from "./event-loop-spin.js";

/** Turns that were asked for and have not been. */
let due: (() => void)[] = [];
beforeEach(() => {
  due = [];
  vi.stubGlobal("setImmediate", (turn: () => void) => due.push(turn));
});
afterEach(() => void vi.unstubAllGlobals());

/** Lets the loop turn. @returns how often something was due, up to `most` */
function turn(most = Number.POSITIVE_INFINITY): number {
  for (let turns = 0; turns < most; turns += 1) {
    const [first, ...others] = due;
    if (first === undefined) return turns;
    due = others;
    first();
  }
  return most;
}

it("ends by itself, and begins again", () => {
  const spin = new EventLoopSpin();
  for (const _ of ["once", "again"]) {
    spin.start();
    expect(turn()).toBe(mostTurns);
  }
});

it("counts from where it was started last, and turns once at a time", () => {
  const spin = new EventLoopSpin();
  spin.start();
  expect(turn(10)).toBe(10);
  spin.start();
  expect(due).toHaveLength(1);
  expect(turn()).toBe(mostTurns);
});

it("ends with the next turn where it is stopped", () => {
  const spin = new EventLoopSpin();
  spin.stop();
  expect(turn()).toBe(0);
  spin.start();
  expect(turn(10)).toBe(10);
  spin.stop();
  expect(turn()).toBe(1);
  spin.start();
  spin.stop();
  spin.start();
  expect(turn()).toBe(mostTurns);
});
