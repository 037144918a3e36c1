import * as fc from "fast-check";
import { expect, it } from "vitest";
import { attribute, type Graph } from "../../../ir/index.js";
import { graphOf } from "../../../rules/rule-case.test.support.js";
import { cases } from "../../cases.test.support.js";
import { planOf } from "../../compile.js";
import { isExact } from "./exactness.test.support.js";
import { expectAgreement, how, integers, list, rounded, size } from "./quantized-case.test.support.js"; // prettier-ignore

it("pools large windows of bytes: padded, dilated, partial at the end, over one axis and two", async () => {
  const problem = size(1, 2).chain((rank) =>
    fc.record({
      op: fc.constantFrom("MaxPool", "AveragePool"),
      dims: fc.tuple(size(1, 2), size(1, 21)),
      sizes: list(rank, 5, 9),
      kernel: list(rank, 3, 5),
      strides: list(rank, 1, 2),
      dilation: size(1, 2),
      pads: list(2 * rank, 0, 4),
      ceil: size(0, 1),
      input: how,
    }),
  );
  let framed = 0;
  await fc.assert(
    fc.asyncProperty(problem, async ({ op, dims, sizes, kernel, input, dilation, ...p }) => {
      const isMean = op === "AveragePool";
      const span = (at: number): number => ((kernel[at] ?? 1) - 1) * (isMean ? 1 : dilation) + 1;
      fc.pre(sizes.every((own, at) => span(at) <= own));
      const pads = p.pads.map((pad, at) => Math.min(pad, (kernel[at % sizes.length] ?? 1) - 1));
      const graph = graphOf({ x: ["float32", ...dims, ...sizes] }, (inputOf, b) => {
        const y = b.add(op, [rounded(b, inputOf("x"), input)], {
          kernel_shape: attribute.ints(kernel),
          strides: attribute.ints(p.strides),
          pads: attribute.ints(pads),
          ceil_mode: attribute.int(p.ceil),
          ...(!isMean && { dilations: attribute.ints(sizes.map(() => dilation)) }),
        });
        return { y: rounded(b, y, input) };
      });
      const kernels = await expectAgreement(graph, isMean ? input.scale : 0);
      if (isMean) return;
      expect(kernels.filter((kernel) => !isExact(kernel))).toEqual([]);
      if (kernels.filter((kernel) => kernel === "largest-i8").length === 2) framed += 1;
    }),
    { numRuns: cases(60) },
  );
  expect(framed).toBeGreaterThan(2);
});

/** The mean of an image of bytes. */
const meanOf = (zeroPoint: number, height: number, width: number): Graph =>
  graphOf({ x: ["uint8", 1, 1, height, width] }, (input, b) => {
    const steps = [b.floats([0.02]), integers(b, "uint8", [zeroPoint])];
    const x = b.add("DequantizeLinear", [input("x"), ...steps]);
    return { y: b.add("GlobalAveragePool", [x]) };
  });

it("sums bytes up as integers where that fits into 32 bits, and as floats where not", async () => {
  const kernelsOf = async (graph: Graph) => (await planOf(graph)).steps.map(({ kernel }) => kernel);
  // 255 · 2902² is a little more than 2³¹.
  expect(await kernelsOf(meanOf(0, 2901, 2902))).toContain("mean-i8");
  expect(await kernelsOf(meanOf(0, 2903, 2903))).not.toContain("mean-i8");
  expect(await kernelsOf(meanOf(255, 2903, 2903))).not.toContain("mean-i8");
  expect(await kernelsOf(meanOf(128, 2903, 2903))).toContain("mean-i8");
});
