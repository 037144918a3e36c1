import { Writable } from "node:stream";
import { expect, it, vi } from "vitest";
import { leftText, progressBar } from "./progress-bar.js";

/** The library is loaded first, on a machine that may be busy. */
const patient = { timeout: 20_000 };

/** A terminal that keeps what is written to it. */
class Terminal extends Writable {
  readonly isTTY = true;
  readonly columns = 120;
  shown = "";
  override _write(chunk: unknown, _: unknown, done: () => void): void {
    this.shown += String(chunk);
    done();
  }
}

it("shows no time left before there is anything to go by", async () => {
  const terminal = new Terminal();
  const bar = progressBar(terminal);
  try {
    await vi.waitFor(() => {
      bar.show(0, "reading samples");
      expect(terminal.shown).toContain("0% | estimating | reading samples");
    }, patient);
  } finally {
    bar.settle();
  }
  expect(terminal.shown).not.toMatch(/NFs|ULLs|NaN/);
});

it("shows the cursor again where the process ends while it is drawn", async () => {
  const [hidden, shown] = ["\u001B[?25l", "\u001B[?25h"];
  const before = process.listeners("exit");
  const terminal = new Terminal();
  const bar = progressBar(terminal);
  await vi.waitFor(() => {
    bar.show(0, "reading samples");
    expect(terminal.shown).toContain(hidden);
  }, patient);
  const added = process.listeners("exit").filter((listener) => !before.includes(listener));
  expect(terminal.shown).not.toContain(shown);
  for (const listener of added) listener(130);
  expect(terminal.shown.split(shown)).toHaveLength(2);
  bar.settle();
  expect(terminal.shown.split(shown)).toHaveLength(2);
  expect(process.listeners("exit")).toEqual(before);
});

it.each([
  [Number.NaN, "estimating"],
  [Infinity, "estimating"],
  [0, "0s left"],
  [59, "59s left"],
  [61, "2m left"],
  [3600, "1h 0m left"],
  [7260, "2h 1m left"],
])("tells %d seconds", (seconds, text) => expect(leftText(seconds)).toBe(text));

it("goes on where it was, at the pace of the whole, when something was said in between", async () => {
  const terminal = new Terminal();
  let ms = 0;
  const bar = progressBar(terminal, () => ms);
  const shownAt = (fraction: number, at: number): string => {
    terminal.shown = "";
    ms = at;
    bar.show(fraction, "work");
    bar.settle();
    return /(\d+% \| [^|]*?) \| work/.exec(terminal.shown)?.[1] ?? "";
  };
  await vi.waitFor(() => expect(shownAt(0.25, 0)).toBe("25% | estimating"), patient);
  expect(shownAt(0.5, 25_000)).toBe("50% | 50s left");
  expect(shownAt(0.75, 50_000)).toBe("75% | 25s left");
  // Other work begins.
  expect(shownAt(0, 60_000)).toBe("0% | estimating");
  expect(shownAt(0.5, 70_000)).toBe("50% | 10s left");
});
