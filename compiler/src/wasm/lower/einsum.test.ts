import * as fc from "fast-check";
import { expect, it, test } from "vitest";
import { drawnEquation, einsum } from "../../rules/einsum-case.test.support.js";
import { sayEinsum } from "../../rules/einsum.js";
import { runRules } from "../../rules/run-rules.js";
import { cases } from "../cases.test.support.js";
import { compare } from "../run-model.test.support.js";
import { loweredForm } from "./lowered-form.js";
import { refusals } from "./refusals.js";

it("is compiled as what it is said in, whatever the equation", async () => {
  await fc.assert(
    fc.asyncProperty(drawnEquation, async ({ equation, shapes }) => {
      const graph = einsum(equation, shapes);
      const compiled = graph.fork();
      await runRules(compiled, [sayEinsum], {});
      expect(await compare(graph, { compiled, poisoned: true, reference: true })).toBeLessThan(
        2e-5,
      );
    }),
    { numRuns: cases(200) },
  );
});

test("one that takes a diagonal is not compiled, and it is said why", async () => {
  const graph = einsum("bii->bi", [[2, 3, 3]]);
  await runRules(graph, [sayEinsum], {});
  expect(refusals(await loweredForm(graph))).toEqual([
    {
      kind: "operator",
      what: "Einsum",
      why: "it is not compiled where it takes a diagonal, as in ii, reads integers, or has more than 8 operands or 12 axes",
      where: ["y"],
      count: 1,
    },
  ]);
});
