import { expect, it } from "vitest";
import { engineCrashed, lastWords } from "./engine-crashed.js";

it("says why Node ended a process, and not at which addresses it was", () => {
  const stderr = [
    "<--- JS stacktrace --->",
    "",
    "FATAL ERROR: v8::ArrayBuffer::New Allocation failed - process out of memory",
    "----- Native stack trace -----",
    "",
    " 1: 0xb78db3 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]",
    " 2: 0xee8300 v8::Utils::ReportOOMFailure(v8::internal::Isolate*) [node]",
    "",
  ].join("\n");
  expect(lastWords(stderr)).toMatch(/^FATAL ERROR: .* out of memory$/);
  expect(lastWords("one\ntwo\nthree\nfour\n")).toBe("two three four");
  expect(lastWords("")).toBe("");
});

it("tells who has but one model what to do", () => {
  const { code, hint } = engineCrashed("It is gone.", "cpu");
  expect([code, hint]).toEqual(["ENGINE_CRASHED", expect.stringContaining("another --target")]);
});
