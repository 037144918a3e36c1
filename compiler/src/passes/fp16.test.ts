import { describe, expect, it } from "vitest";
import { edit, attribute, type Graph, Tensor, tensorType } from "../ir/index.js";
import { graphOf, opsOf } from "../rules/rule-case.test.support.js";
import { fp16 } from "./fp16.js";
import { agreement, feedsOf, quantized, run } from "./quantization/engine-case.test.support.js";

function network(): Graph {
  return graphOf({ x: ["float32", 1, 3, 4, 4], n: ["int64", 1] }, (input, b) => {
    const wide = b.add("Conv", [input("x"), b.weights(4, 3, 3, 3), b.weights(4)], {
      pads: attribute.ints([1, 1, 1, 1]),
    });
    const larger = b.add("Resize", [wide, null, b.floats([1, 1, 2, 2])], {
      mode: attribute.string("nearest"),
    });
    const capped = b.add("Min", [larger, b.floats([1e30])]);
    const filled = b.add("ConstantOfShape", [input("n")], {
      value: attribute.tensor(Tensor.float32([1], [0.5])),
    });
    const cast = b.add("Cast", [input("n")], { to: attribute.int(1) });
    return {
      y: b.add("Add", [
        capped,
        b.add("Mul", [b.add("ReduceMean", [filled], { keepdims: attribute.int(0) }), cast]),
      ]),
      same: b.add("Relu", [input("x")]),
    };
  });
}

describe("fp16", () => {
  const float = network();
  const feeds = {
    ...feedsOf(float),
    n: { type: "int64", dims: [1], data: BigInt64Array.of(3n) },
  } as const;

  it("agrees with the float model, whose inputs and outputs stay float32", async () => {
    const graph = await quantized(fp16, float);
    expect(agreement(await run(float, feeds), await run(graph, feeds))).toBeGreaterThan(55);
    for (const id of [...graph.main.inputs.slice(0, 1), ...graph.main.outputs])
      expect(graph.value(id).type).toMatchObject({ dtype: "float32" });
    expect(
      [...graph.main.initializers].filter((id) => graph.constant(id)?.dtype === "float16"),
    ).toHaveLength(2);
  });

  it("keeps some operators in float32 with casts around them, and says so", async () => {
    const graph = await quantized(fp16, float);
    expect(
      graph.journal.filter((entry) => entry.what === "left").map((entry) => entry.reason),
    ).toEqual(["Resize stays float32", "Min stays float32"]);
    const more = await quantized(fp16, float, { keepFloat: ["Conv"] });
    expect(agreement(await run(float, feeds), await run(more, feeds))).toBeGreaterThan(55);
    expect(
      [...more.main.initializers].filter((id) => more.constant(id)?.dtype === "float16"),
    ).toHaveLength(0);
  });

  it("keeps float32 what it cannot infer the type of", async () => {
    const unknown = graphOf({ x: ["float32", 2, 3, 3] }, (input, b) => ({
      y: b.add("Det", [b.add("Relu", [input("x")])]),
    }));
    edit(unknown, "test", (editor) => {
      for (const id of unknown.main.outputs) editor.setType(id, tensorType("float32", [2]));
    });
    const graph = await quantized(fp16, unknown);
    const x = feedsOf(unknown);
    expect(agreement(await run(unknown, x), await run(graph, x))).toBeGreaterThan(55);
  });

  it("changes the dtype that an attribute gives where it gives float32 alone", async () => {
    const made = graphOf({ x: ["float32", 2, 2], n: ["int64", 2, 2] }, (input, b) => ({
      y: b.add("EyeLike", [input("n")]),
      z: b.add("EyeLike", [input("n")], { dtype: attribute.int(1) }),
      like: b.add("EyeLike", [input("x")]),
    }));
    const graph = await quantized(fp16, made);
    const dtypes = graph
      .order()
      .filter(({ op }) => op === "EyeLike")
      .map((node) => node.attributes.get("dtype"));
    expect(dtypes).toEqual([undefined, attribute.int(10), attribute.int(10)]);
  });

  it("gives a value that is an output twice twice", async () => {
    const twice = graphOf({ x: ["float32", 2, 3] }, (input, b) => ({
      y: b.add("Relu", [input("x")]),
    }));
    edit(twice, "test", (editor) => editor.addOutput(twice.main.outputs[0] ?? (0 as never)), {
      interface: true,
    });
    const graph = await quantized(fp16, twice);
    expect(graph.main.outputs.map((id) => graph.value(id).name)).toEqual(["y", "y"]);
  });

  it("casts what a branch captures", async () => {
    const branches = graphOf({ c: ["bool"], x: ["float32", 1, 2] }, (input, b) => {
      const shared = b.add("Exp", [b.add("Neg", [input("x")])]);
      const branch = (name: string, op: string) => {
        const body = b.editor.addBody(name);
        b.editor.addOutput(b.editor.add1(op, [shared], {}, { body }), body);
        return attribute.graph(body);
      };
      return {
        y: b.add("Relu", [
          b.add("If", [input("c")], {
            then_branch: branch("then", "Sqrt"),
            else_branch: branch("else", "Neg"),
          }),
        ]),
      };
    });
    const graph = await quantized(fp16, branches);
    const given = {
      ...feedsOf(branches),
      c: { type: "bool", dims: [], data: Uint8Array.of(1) },
    } as const;
    expect(agreement(await run(branches, given), await run(graph, given))).toBeGreaterThan(55);
    expect(opsOf(graph).filter((op) => op === "Cast")).toHaveLength(4);
  });

  it("clamps what float16 cannot hold", async () => {
    const mask = graphOf({ x: ["float32", 1, 2] }, (input, b) => ({
      y: b.add("Softmax", [b.add("Add", [input("x"), b.floats([-3.4e38, 0], [1, 2])])]),
    }));
    const { y } = await run(await quantized(fp16, mask), feedsOf(mask));
    expect([...(y?.data ?? [])]).toEqual([0, 1]);
  });
});
