import { expect, it } from "vitest";
import { instructionSetsIn } from "./processor.js";

it("reads instruction sets as Linux names them", () => {
  const x64 = "model name\t: X\nflags\t\t: fpu sse4_2 avx2 avx512f avx512_vnni\nbugs\t\t: none\n";
  expect(instructionSetsIn(x64)).toEqual(["AVX2", "AVX-512", "AVX-512 VNNI"]);
  expect(instructionSetsIn("Features\t: fp asimd asimddp i8mm\n")).toEqual([
    "NEON",
    "dot products",
    "I8MM",
  ]);
  expect(instructionSetsIn("flags : fpu sse2\n")).toEqual([]);
  expect(instructionSetsIn("processor : 0\n")).toBeNull();
});
