import { afterEach, expect, it, vi } from "vitest";
import { createOutput } from "./output.js";

afterEach(() => vi.restoreAllMocks());

it("says a note on one line, whatever a file has for a name", () => {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  createOutput({}).note("--dim a\n\u001b[2Kerror: all is lost=3");
  expect(write.mock.calls).toEqual([["--dim a\\u{a}\\u{1b}[2Kerror: all is lost=3\n"]]);
  createOutput({ quiet: true }).note("nothing");
  expect(write).toHaveBeenCalledTimes(1);
});
