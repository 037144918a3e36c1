import * as fc from "fast-check";
import { onnxArtifact, type Tensors } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { describe, expect, it, test } from "vitest";
import { attribute, type Graph } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { convert, evaluateGraph } from "../ops/index.js";
import { sayEinsum } from "./einsum.js";
import { drawnEquation, einsum, type Shape } from "./einsum-case.test.support.js";
import { apply, compare, graphOf, madeUp, opsOf } from "./rule-case.test.support.js";
import { runRules } from "./run-rules.js";

async function onEngine(graph: Graph, feeds: Tensors): Promise<Tensors> {
  const session = await cpu().load(onnxArtifact((await encodeModel(graph)).proto));
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

describe("an Einsum is said in what it takes, and no more", () => {
  test.each<[string, readonly Shape[], string]>([
    // Of one operand.
    ["nhwpqc->nchpwq", [[1, 4, 4, 2, 2, 3]], "Transpose"],
    ["ij->j", [["N", "S"]], "ReduceSum"],
    ["bij->ji", [[2, 3, 4]], "ReduceSum Transpose"],
    ["ij->", [[3, 4]], "ReduceSum"],
    ["ij->ij", [[3, 4]], "Identity"],
    ["ba", [["N", "S"]], "Transpose"],
    // As they lie.
    [
      "ij,jk->ik",
      [
        ["N", 4],
        [4, 5],
      ],
      "MatMul",
    ],
    [
      "ij,jk",
      [
        ["N", 4],
        [4, 5],
      ],
      "MatMul",
    ],
    [
      "bhid,bhdj->bhij",
      [
        ["N", 3, "S", 4],
        ["N", 3, 4, "S"],
      ],
      "MatMul",
    ],
    [
      "...ij,...jk->...ik",
      [
        ["N", 1, 3, 4],
        ["N", 7, 4, 5],
      ],
      "MatMul",
    ],
    [
      "btc,cd->btd",
      [
        ["N", "S", 4],
        [4, 5],
      ],
      "MatMul",
    ],
    ["bij,j->bi", [["N", 3, 4], [4]], "MatMul"],
    ["i,ij->j", [[3], [3, 4]], "MatMul"],
    ["i,i->", [[5], [5]], "MatMul"],
    // The second one first.
    [
      "jk,ij->ik",
      [
        [4, 5],
        [3, 4],
      ],
      "MatMul",
    ],
    // In another order.
    [
      "bhid,bhjd->bhij",
      [
        ["N", 3, "S", 4],
        ["N", 3, "S", 4],
      ],
      "Transpose MatMul",
    ],
    [
      "bqhd,bkhd->bhqk",
      [
        ["N", 5, 3, 4],
        ["N", 6, 3, 4],
      ],
      "Transpose Transpose MatMul",
    ],
    [
      "bhqk,bkhd->bqhd",
      [
        ["N", 3, 5, 6],
        ["N", 6, 3, 4],
      ],
      "Transpose MatMul Transpose",
    ],
    // Several axes as one.
    [
      "abcd,cde->abe",
      [
        ["N", 10, 2, 3],
        [2, 3, 4],
      ],
      "Reshape Reshape MatMul",
    ],
    [
      "abc,cde->abde",
      [
        ["N", 10, 2],
        [2, 3, 4],
      ],
      "Reshape MatMul Reshape",
    ],
    [
      "bi,bij->bj",
      [
        ["N", 3],
        ["N", 3, 4],
      ],
      "Reshape MatMul Reshape",
    ],
    // A shape that is changed costs less than elements that are moved, and axes of 1 are moved for nothing.
    ["k,kcd->cd", [[3], [3, 5, 4]], "Reshape MatMul Reshape"],
    ["k,kcd->cd", [[3], [3, 1, 4]], "Transpose MatMul"],
    // Nothing is summed.
    ["i,j->ij", [["N"], ["S"]], "Unsqueeze Mul"],
    [
      "bi,bj->bij",
      [
        ["N", "S"],
        ["N", "T"],
      ],
      "Unsqueeze Unsqueeze Mul",
    ],
    [
      "ij,ij->ij",
      [
        [3, 4],
        [3, 4],
      ],
      "Mul",
    ],
    ["ij,->ij", [[3, 4], []], "Mul"],
    [
      "...,...->...",
      [
        [3, 1],
        [2, 1, 4],
      ],
      "Mul",
    ],
    // Everything that both have is.
    [
      "bi,bi->b",
      [
        ["N", 4],
        ["N", 4],
      ],
      "Mul ReduceSum",
    ],
    [
      "bi,ib->",
      [
        [3, 4],
        [4, 3],
      ],
      "Transpose Mul ReduceSum",
    ],
    // What only one has is summed before it.
    ["ij,k->i", [[3, 4], [5]], "ReduceSum ReduceSum Mul"],
    [
      "ij,ij->i",
      [
        [3, 1],
        [3, 4],
      ],
      "ReduceSum ReduceSum Mul",
    ],
    // The smaller product first: 2 × 9 × 2 and not 9 × 9 × 2.
    [
      "ij,jk,kl->il",
      [
        [9, 2],
        [2, 9],
        [9, 2],
      ],
      "MatMul MatMul",
    ],
    ["bi,bj,b->bij", [["N", 3], ["N", 4], ["N"]], "Unsqueeze Unsqueeze Mul Unsqueeze Mul"],
  ])("%s of %j: %s", async (equation, shapes, ops) => {
    const graph = einsum(equation, shapes);
    const { ops: found, misses } = await apply(sayEinsum, graph, { N: 2, S: 3, T: 4 });
    expect(found.join(" ")).toBe(ops);
    expect(misses).toEqual([]);
  });

  it("multiplies least", async () => {
    const graph = einsum("ij,jk,kl->il", [
      [9, 2],
      [2, 9],
      [9, 2],
    ]);
    await runRules(graph, [sayEinsum], {});
    const [first] = graph.order();
    expect(first?.inputs.map((id) => id !== null && graph.value(id).name)).toEqual(["x1", "x2"]);
  });

  it("moves what is constant", async () => {
    const graph = graphOf({ x: ["float32", 2, 3, 4] }, (input, b) => ({
      y: b.add("Einsum", [b.weights(3, 2), input("x")], {
        equation: attribute.string("cb,bcd->d"),
      }),
    }));
    await apply(sayEinsum, graph);
    const [x] = graph.main.inputs;
    expect(x === undefined ? [] : graph.consumers(x).map(({ op }) => op)).toEqual(["Reshape"]);
    expect(opsOf(graph)).toContain("Transpose");
  });

  it("sums no products that were rounded to float16", async () => {
    const shapes = [
      [2, 4],
      [2, 4],
    ];
    const graph = einsum("bi,bi->b", shapes, "float16");
    const feeds = Object.fromEntries(
      Object.entries(madeUp(einsum("bi,bi->b", shapes), {})).map(([name, x]) => [
        name,
        convert(x, "float16"),
      ]),
    );
    const { y } = await evaluateGraph(graph, feeds);
    await runRules(graph, [sayEinsum], {});
    expect(opsOf(graph)).toEqual(["Reshape", "Reshape", "MatMul", "Reshape"]);
    expect(await evaluateGraph(graph, feeds)).toEqual({ y });
  });
});

describe("an Einsum stays", () => {
  test.each<[string, readonly Shape[], string[]]>([
    ["...ii->...i", [[2, 3, 3]], ["it takes a diagonal"]],
    [
      "ij,jk->ik",
      [
        ["N", "S"],
        ["T", 4],
      ],
      ["its sizes are not known to be equal"],
    ],
    [
      "ij,jk->ik",
      [
        [3, 0],
        [0, 4],
      ],
      ["its sizes are not known to be equal"],
    ],
    [
      "abc,acd->abd",
      [
        ["N", 3, "S"],
        ["T", "S", 4],
      ],
      ["its sizes are not known to be equal"],
    ],
    [
      "xabc,xcd->xabd",
      [
        ["N", "S", "T", "U"],
        ["N", "U", "V"],
      ],
      ["it takes sizes that are known only when it runs"],
    ],
    [
      Array.from({ length: 9 }, () => "i").join(),
      Array.from({ length: 9 }, () => [2]),
      ["more than 8 operands, or 12 axes, are not said"],
    ],
    [
      "abcdefg,hijklm->am",
      [
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
      ],
      ["more than 8 operands, or 12 axes, are not said"],
    ],
    // An engine refuses these.
    ["ij->ik", [[2, 3]], []],
    ["ijk->i", [[2, 3]], []],
    ["ij->ii", [[2, 3]], []],
    ["i->i->i", [[2]], []],
    ["i.j->i", [[2, 3]], []],
    ["...i->i", [[2, 3]], []],
  ])("%s of %j", async (equation, shapes, misses) => {
    const graph = einsum(equation, shapes);
    await runRules(graph, [sayEinsum], {});
    expect(opsOf(graph)).toEqual(["Einsum"]);
    expect(graph.journal.map(({ what, reason }) => [what, reason])).toEqual(
      misses.map((reason) => ["left", reason]),
    );
  });

  it("of integers, where bits count", async () => {
    const graph = einsum(
      "ij,jk->ik",
      [
        [2, 3],
        [3, 4],
      ],
      "int64",
    );
    await runRules(graph, [sayEinsum], {});
    expect(opsOf(graph)).toEqual(["Einsum"]);
  });
});

/** Sums of them do not cancel, and round little. */
function positive(feeds: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { dims, data }]) => [
      name,
      { type: "float32", dims, data: Float32Array.from(Array.from(data, Number), Math.abs) },
    ]),
  );
}

test("whatever the equation, the engine, the evaluation and what it is said in agree", async () => {
  await fc.assert(
    fc.asyncProperty(drawnEquation, async ({ equation, shapes }) => {
      const graph = einsum(equation, shapes);
      const feeds = positive(madeUp(graph, {}));
      const { y } = await onEngine(graph, feeds);
      if (y === undefined) throw new Error("no result");
      compare("evaluated", y, (await evaluateGraph(graph, feeds))["y"], 1e-5);
      await runRules(graph, [sayEinsum], {});
      expect(opsOf(graph)).not.toContain("Einsum");
      compare("said", y, (await onEngine(graph, feeds))["y"], 1e-5);
    }),
    { numRuns: 150 },
  );
});
