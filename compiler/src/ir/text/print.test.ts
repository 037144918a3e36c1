import { edit } from "../edit/edit.js";
import { describe, expect, it } from "vitest";
import { attribute } from "../attribute.js";
import { dim } from "../dim.js";
import { Graph } from "../graph.js";
import { newHeader } from "../model.js";
import { parseGraph } from "./parse.js";
import { printGraph } from "./print.js";
import { Tensor } from "../tensor.js";
import { tensorType } from "../type.js";
import { verifyGraph } from "../verify.js";

const untyped = () => [];

async function again(text: string, constants?: ReadonlyMap<string, Tensor>): Promise<string> {
  const graph = parseGraph(text, constants === undefined ? {} : { constants });
  verifyGraph(graph);
  return printGraph(graph);
}

describe("text", () => {
  it.each([
    ["no nodes", "graph main opset 21 (x: float32[N]) -> (x) {\n  return x\n}\n"],
    [
      "names that need quotes",
      'graph main opset 9, com.microsoft 1 ("a/b:0": int8[?1, "x y"]) -> ("c d") {\n  %1 = com.microsoft::Gelu("a/b:0") : int8[?1, "x y"]\n  return %1\n}\n',
    ],
    [
      "every kind of attribute",
      `graph main opset 21 (x: float32[*]) -> (y) {
  %1, _, %2 = Op(x, _, const int64[2] [-1, 9223372036854775807]) {a = 1, b = 1.0, c = -0.5, d = "te\\"xt", e = ints [], f = [1, 2], g = [1e-7, inf, nan], h = ["a", "b"], i = const string[1] ["s"], j = [const bool[] true, const float16[2] [0.5, -0.0]], k = bytes "ff00", l = type sequence(int32[2, M*N]), m = floats [], n = strings []} : float32[*], _, ?
  return %1
}
`,
    ],
    [
      "expressions of dims",
      "graph main opset 21 (x: float32[N, floordiv(H + 1, 2) + 3, max(2*W, 7) - 1, -1*Q + 4]) -> (y) {\n  %1 = Relu(x) : float32[N, floordiv(H + 1, 2) + 3, max(2*W, 7) - 1, 4]\n  return %1\n}\n".replace(
        "-1*Q + 4",
        "-Q + 4",
      ),
    ],
    [
      "bodies within bodies, with inputs and what they capture",
      `graph main opset 21 (n: int64[], x: float32[2] = const float32[2] [1.0, 2.0]) -> (y) {
  %1 = Abs(x) : float32[2]
  %8 = Loop(n, _, x) {body = graph (%2: int64[], %3: bool[], %4: float32[2]) {
    %5 = Identity(%3) : bool[]
    %7 = If(%3) {else_branch = graph () {
      return %1
    }, then_branch = graph () {
      %6 = Add(%4, %1) : float32[2]
      return %6
    }} : float32[2]
    return %5, %7
  }} : float32[2]
  return %8
}
`,
    ],
  ])("reads back: %s", async (_, text) => {
    const once = await again(text);
    expect(await again(once)).toBe(once);
    expect(normal(once)).toBe(normal(text));
  });

  it("says where it is wrong", () => {
    expect(() =>
      parseGraph(
        "graph main opset 21 (x: float32[N]) -> (y) {\n  %1 = Relu(z) : float32[N]\n  return %1\n}",
      ),
    ).toThrowError("z is not defined");
    try {
      parseGraph("graph main opset 21 (x: float31[N]) -> () { return }");
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "ARGUMENT", where: "line 1, column 25" });
    }
  });

  it("takes large constants from a map", async () => {
    const graph = new Graph(newHeader(), untyped);
    const weights = Tensor.float32(
      [20],
      Float32Array.from({ length: 20 }, (_, i) => i / 3),
    );
    edit(
      graph,
      "build",
      (editor) =>
        editor.addOutput(
          editor.add1("Relu", [editor.constant("w", weights)], {}, { outputs: ["y"] }),
        ),
      { interface: true },
    );
    const constants = new Map<string, Tensor>();
    const text = await printGraph(graph, { constants });
    expect(text).toMatch(/Relu\(const float32\[20\] #[0-9a-f]{16}\)/);
    expect(await again(text, constants)).toBe(text);
    expect(() => parseGraph(text)).toThrowError("was not given");
  });
});

function build(scrambled: boolean): Graph {
  const graph = new Graph(newHeader(), (_, node) =>
    node.op === "Find" ? [{ type: tensorType("int64", [dim.unknown()]) }] : [],
  );
  edit(
    graph,
    "build",
    (editor) => {
      const x = editor.addInput("x", tensorType("float32", [2]));
      const later = scrambled ? editor.constant("zzz", Tensor.float32([], [2])) : undefined;
      const name = scrambled ? "b" : "a";
      const wait = editor.addNode("Tanh", [x], {}, { name, outputs: [name] });
      const left = editor.add1("Relu", [x]);
      const two = later ?? editor.constant("two", Tensor.float32([], [2]));
      const other = scrambled ? editor.constant("same", Tensor.float32([], [2])) : two;
      const found = editor.add1("Find", [left]);
      const attributes = { a: attribute.int(1), b: attribute.int(2) };
      const sum = editor.add1(
        "Sum",
        [left, ...wait.outputs, two, other, found],
        scrambled ? { b: attributes.b, a: attributes.a } : attributes,
        { outputs: ["y"] },
      );
      editor.addOutput(sum);
    },
    { interface: true },
  );
  return graph;
}

describe("canonical form", () => {
  it("depends on structure alone", async () => {
    const text = await printGraph(build(false));
    expect(await printGraph(build(true))).toBe(text);
    expect(text).toBe(`graph main opset 21 (x: float32[2]) -> (y) {
  %1 = Relu(x) : ?
  %2 = Tanh(x) : ?
  %3 = Find(%1) : int64[?1]
  %4 = Sum(%1, %2, const float32[] 2.0, const float32[] 2.0, %3) {a = 1, b = 2} : ?
  return %4
}
`);
  });

  it("shows nodes' names where asked to", async () => {
    expect(await printGraph(build(false), { names: true })).toContain("%2 = Tanh(x) : ?  // a");
  });
});

/** Values are numbered as they are printed. */
function normal(text: string): string {
  const numbers = new Map<string, string>();
  return text.replace(/%\d+/g, (key) => {
    if (!numbers.has(key)) numbers.set(key, `%${numbers.size + 1}`);
    return numbers.get(key) ?? key;
  });
}
