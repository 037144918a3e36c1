import { describe, expect, it } from "vitest";
import { edit, attribute, Tensor, tensorType, typeText } from "../ir/index.js";
import { graphOf, opsOf } from "../rules/rule-case.test.support.js";
import { findPass, passes } from "./index.js";
import { lostDefaults } from "./defaults-to-initializers.js";
import { normalizeGraph } from "./normalize.js";

describe("normalize", () => {
  it.each([
    ["value", attribute.tensor(Tensor.float32([2], [1, 2])), "float32[2]"],
    ["value_float", attribute.float(1.5), "float32[]"],
    ["value_floats", attribute.floats([1, 2]), "float32[2]"],
    ["value_int", attribute.int(3), "int64[]"],
    ["value_ints", attribute.ints([1n, 2n ** 60n]), "int64[2]"],
    ["value_string", attribute.string("a"), "string[]"],
    ["value_strings", { type: "strings", value: ["a", "b"] } as const, "string[2]"],
  ])("turns a Constant's %s into an initializer", (name, value, type) => {
    const graph = graphOf({ x: ["float32", 2] }, (x, b) => ({
      y: b.add("Identity", [b.add("Constant", [], { [name]: value })]),
      z: b.add("Relu", [x("x")]),
    }));
    normalizeGraph(graph);
    expect(opsOf(graph)).toEqual(["Identity", "Relu"]);
    const [id] = graph.order()[0]?.inputs ?? [];
    expect(id === undefined || id === null ? "" : typeText(graph.value(id).type)).toBe(type);
    expect(graph.constant(id)).toBeDefined();
  });

  it("makes inputs with a default initializers, and drops what nobody reads", () => {
    const graph = graphOf({ x: ["float32", 2] }, (x, b) => {
      b.add("Neg", [b.add("Abs", [x("x")])]);
      b.floats([1, 2, 3]);
      return { y: b.add("Relu", [x("x")]) };
    });
    edit(
      graph,
      "add a default",
      (editor) => {
        const input = editor.addInput("bias", tensorType("float32", [2]));
        editor.setConstant(input, Tensor.float32([2], [1, 2]));
        const [relu] = graph.order().filter((node) => node.op === "Relu");
        if (relu !== undefined)
          editor.replace(
            relu.inputs[0] ?? input,
            editor.add1("Add", [relu.inputs[0] ?? null, input]),
            "test",
          );
      },
      { interface: true },
    );
    expect(lostDefaults(graph)).toEqual([expect.stringContaining("1 input has a default (bias)")]);
    const { irVersion } = graph.header;
    // An initializer had to be an input then.
    edit(graph, "test", (editor) => editor.setHeader({ irVersion: 3n }));
    expect(lostDefaults(graph)).toEqual([]);
    edit(graph, "test", (editor) => editor.setHeader({ irVersion }));
    normalizeGraph(graph);
    expect(graph.main.inputs.map((id) => graph.value(id).name)).toEqual(["x"]);
    expect(opsOf(graph)).toEqual(["Add", "Relu"]);
    expect([...graph.allValues()].filter((value) => value.constant !== undefined)).toHaveLength(1);
  });

  it("keeps the domains that are used, and those alone", () => {
    const graph = graphOf({ x: ["float32", 2] }, (x, b) => ({
      y: b.editor.add1("FusedThing", [x("x")], {}, { domain: "com.example" }),
    }));
    edit(graph, "test", (editor) => {
      editor.setOpset("com.example", 1);
      editor.setOpset("com.unused", 3);
    });
    normalizeGraph(graph);
    expect([...graph.header.opsets]).toEqual([
      ["", 21],
      ["com.example", 1],
    ]);
  });

  it("takes a newer version of the format back, unless a type needs it", () => {
    const versionOf = (dtype: "float32" | "float8e8m0") => {
      const graph = graphOf({ x: [dtype, 2] }, (x, b) => ({ y: b.add("Identity", [x("x")]) }));
      edit(graph, "test", (editor) => editor.setHeader({ irVersion: 14n }));
      normalizeGraph(graph);
      return graph.header.irVersion;
    };
    expect([versionOf("float32"), versionOf("float8e8m0")]).toEqual([10n, 14n]);
  });

  it("takes a newer opset back where it says nothing new", () => {
    const graph = graphOf(
      { x: ["float32", 2] },
      (x, b) => ({
        y: b.add("Cast", [x("x")], { to: attribute.int(6), round_mode: attribute.string("up") }),
      }),
      24,
    );
    normalizeGraph(graph);
    expect(graph.opset()).toBe(21);
    expect([...(graph.order()[0]?.attributes.keys() ?? [])]).toEqual(["to"]);
  });

  it.each<[number, string, RegExp]>([
    [26, "CumProd", /CumProd came with opset 26/],
    [29, "Relu", /newer than 28/],
  ])("refuses opset %i with %s", (opset, op, message) => {
    const graph = graphOf({ x: ["float32", 2] }, (x, b) => ({ y: b.add(op, [x("x")]) }), opset);
    expect(() => normalizeGraph(graph)).toThrow(
      expect.objectContaining({ code: "MODEL_VERSION", message: expect.stringMatching(message) }),
    );
  });

  it("drops functions that are not called, and refuses to raise those that are", () => {
    const calling = (op: string) => {
      const graph = graphOf(
        { x: ["float32", 2] },
        (x, b) => ({ y: b.editor.add1(op, [x("x")], {}, { domain: "local" }) }),
        17,
      );
      edit(graph, "test", (editor) =>
        editor.setHeader({ functions: new Map([["local::Mean::", {}]]) }),
      );
      return graph;
    };
    const other = calling("Median");
    normalizeGraph(other);
    expect(other.header.functions.size).toBe(0);
    expect(() => normalizeGraph(calling("Mean"))).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED_OP",
        message: expect.stringContaining("local.Mean"),
      }),
    );
  });

  it("refuses what was laid out for one processor", () => {
    const graph = graphOf({ x: ["float32", 1, 8, 2, 2] }, (x, b) => {
      b.editor.setOpset("com.microsoft.nchwc", 1);
      const options = { domain: "com.microsoft.nchwc" };
      return { y: b.editor.add1("ReorderOutput", [x("x")], {}, options) };
    });
    expect(() => normalizeGraph(graph)).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED_OP",
        hint: expect.stringContaining("extended"),
      }),
    );
  });

  it("says when a model does not tell its opset", () => {
    const graph = graphOf({ x: ["float32", 2] }, (x, b) => ({ y: b.add("Relu", [x("x")]) }));
    edit(graph, "test", (editor) => editor.setHeader({ opsets: new Map() }));
    expect(() => normalizeGraph(graph)).toThrow(expect.objectContaining({ code: "MODEL_VERSION" }));
  });
});

describe("passes", () => {
  it("are found by name, and an unknown one is refused with the list", () => {
    for (const { name } of passes) expect(findPass(name).name).toBe(name);
    expect(() => findPass("simplfy")).toThrow(
      expect.objectContaining({ code: "RECIPE", hint: expect.stringContaining("simplify") }),
    );
  });

  it.each(["simplify", "normalize"])("%s takes no options", (name) => {
    expect(() => findPass(name).parse({ level: 3 })).toThrow(
      expect.objectContaining({ code: "RECIPE", where: `${name}.level` }),
    );
  });
});
