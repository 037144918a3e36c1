import { expect, it } from "vitest";
import { attribute, edit, type Graph, Tensor } from "../../ir/index.js";
import { type Declared, graphOf } from "../../rules/rule-case.test.support.js";
import { compileToWasm, refusalsOf } from "../compile.js";

const never = (): Promise<Float32Array> => Promise.reject(new Error("Nothing is to be read."));

/** A product with weights of so many columns, which are nowhere. */
function product(columns: number) {
  const graph = graphOf({ x: ["float32", 1, 1024] }, (input, b) => ({
    y: b.add("MatMul", [
      input("x"),
      b.editor.constant("table", Tensor.lazy("float32", [1024, columns], never)),
    ]),
  }));
  return graph;
}

it("refuses weights that no module's memory holds by name, and reads none of them", async () => {
  const graph = product(2 ** 20);
  expect(await refusalsOf(graph)).toContainEqual({
    kind: "memory",
    what: "weights",
    why: "the model takes 4096 MiB, and a module has 2048",
    where: ["table: 4096 MiB"],
    count: 1,
  });
  await expect(compileToWasm(graph)).rejects.toMatchObject({
    code: "MODEL_LIMIT",
    message: expect.stringContaining("table: 4096 MiB"),
  });
});

it("counts the floats of weights that are stored as integers, and decodes none", async () => {
  const graph = graphOf({ x: ["float32", 1, 1024] }, (input, b) => {
    const products = [0, 1].map(() => {
      const stored = b.editor.constant("stored", Tensor.lazy("int8", [1024, 2 ** 18], never));
      const weights = b.add("DequantizeLinear", [stored, b.floats([0.5], [])]);
      return b.add("MatMul", [input("x"), weights]);
    });
    return { y: b.add("Add", products) };
  });
  const [refusal] = await refusalsOf(graph);
  expect(refusal?.why).toMatch(/^the model takes 256\d MiB, and a module has 2048$/);
  await expect(compileToWasm(graph)).rejects.toMatchObject({ code: "MODEL_LIMIT" });
});

/** As many tensors of 512 MiB that all live at once as `count` says. */
function tensors(count: number) {
  const input: Declared = ["float32", 2 ** 27];
  const names = Array.from({ length: count }, (_, at) => `x${at}`);
  return graphOf(Object.fromEntries(names.map((name) => [name, input])), (find, b) => {
    const [first = "", ...others] = names;
    const sum = others.reduce((id, name) => b.add("Add", [id, find(name)]), find(first));
    return { y: b.add("Relu", [sum]) };
  });
}

it("refuses tensors that no module's memory holds by name, and takes those that fit", async () => {
  expect(await refusalsOf(tensors(2))).toEqual([]);
  const [refusal] = await refusalsOf(tensors(4));
  expect(refusal).toMatchObject({ kind: "memory", what: "tensors" });
  expect(refusal?.why).toMatch(/^the model takes 2\d\d\d MiB, and a module has 2048$/);
  expect(refusal?.where[0]).toMatch(/^\w+: 512 MiB$/);
  await expect(compileToWasm(tensors(4))).rejects.toMatchObject({ code: "MODEL_LIMIT" });
});

it("says of weights and of operators at once", async () => {
  const graph = product(2 ** 20);
  edit(
    graph,
    "test",
    (editor) => {
      const [x] = graph.main.inputs;
      if (x === undefined) return;
      const [drawn] = editor.add("Bernoulli", [x]);
      if (drawn !== undefined) editor.addOutput(drawn);
    },
    { interface: true },
  );
  const found = await refusalsOf(graph);
  expect(found.map(({ kind }) => kind).sort()).toEqual(
    expect.arrayContaining(["memory", "operator"]),
  );
});

/** Tables as long as an axis that a file claims. */
const claimed: Readonly<Record<string, Graph>> = {
  "more than 1048576 values are not told apart": graphOf({ x: ["int64", 1] }, (input, b) => ({
    y: b.add("OneHot", [input("x"), b.ints([2 ** 26], []), b.floats([0, 1], [2])]),
  })),
  "matrices of more than 16777216 elements are not compiled": graphOf(
    { x: ["float32", 8192, 8192] },
    (input, b) => ({ y: b.add("Trilu", [input("x")]) }),
  ),
  "axes of more than 1048576 elements are not resized between elements": graphOf(
    { x: ["float32", 1, 1, 8] },
    (input, b) => ({
      y: b.add("Resize", [input("x"), null, null, b.ints([1, 1, 2 ** 26])], {
        mode: attribute.string("linear"),
      }),
    }),
  ),
};

it.each(Object.entries(claimed))("refuses: %s", async (why, graph) => {
  expect((await refusalsOf(graph)).map((refusal) => refusal.why)).toContain(why);
});
