import { expect, it, vi } from "vitest";
import { runDoctor } from "./run.js";

it("takes its bar away where it is stopped", async () => {
  const stop = new AbortController();
  const settle = vi.fn<() => void>();
  const progress = vi.fn<() => void>(() => stop.abort());
  const output = { verbose: false, result() {}, note() {}, detail() {}, progress, settle };
  const context = { signal: stop.signal, typed: "pare doctor", output: () => output, exit() {} };
  await expect(runDoctor({}, context)).rejects.toMatchObject({ code: "ABORTED" });
  expect(progress).toHaveBeenCalledOnce();
  expect(settle).toHaveBeenCalledOnce();
});
