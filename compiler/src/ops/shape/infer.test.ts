import type { Dtype } from "@pare/runtime/format";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  edit,
  type Editor,
  attribute,
  type Attributes,
  type Dim,
  dim,
  Graph,
  newHeader,
  Tensor,
  tensorType,
  typeText,
  type ValueId,
} from "../../ir/index.js";
import { inferAll, inferNode } from "./infer.js";
import { operators } from "../table.js";

const symbol = dim.symbol;

/** A graph of inputs x0, x1, … to be filled by `build`. */
function graphOf(
  shapes: readonly (readonly Dim[])[],
  build: (editor: Editor, inputs: readonly ValueId[]) => ValueId,
  dtype: Dtype = "float32",
): { readonly graph: Graph; readonly output: ValueId } {
  const graph = new Graph(newHeader(), inferNode);
  let output: ValueId | undefined;
  edit(
    graph,
    "build",
    (editor) => {
      const inputs = shapes.map((shape, index) =>
        editor.addInput(`x${index}`, tensorType(dtype, shape)),
      );
      output = build(editor, inputs);
      editor.addOutput(output);
    },
    { interface: true },
  );
  if (output === undefined) throw new Error("no output");
  return { graph, output };
}

describe("shape arithmetic", () => {
  test("flattening by Shape, Gather and Concat keeps the symbols", () => {
    const { graph, output } = graphOf([[symbol("N"), 8, symbol("H"), 4]], (editor, [x]) => {
      const shape = editor.add1("Shape", [x ?? null]);
      const batch = editor.add1("Gather", [shape, editor.constant("zero", Tensor.int64([0], []))]);
      const axes = editor.constant("axes", Tensor.int64([0]));
      const first = editor.add1("Unsqueeze", [batch, axes]);
      const target = editor.add1("Concat", [first, editor.constant("rest", Tensor.int64([-1]))], {
        axis: attribute.int(0),
      });
      return editor.add1("Reshape", [x ?? null, target]);
    });
    expect(typeText(graph.value(output).type)).toBe("float32[N, 32*H]");
  });

  test("the pads that PyTorch computes from 2-D constants are followed", () => {
    const { graph, output } = graphOf([[symbol("N"), 3]], (editor, [x]) => {
      const pads = editor.constant("pads", Tensor.int64([0, 1, 2, 3]));
      const pairs = editor.add1("Reshape", [pads, editor.constant("to", Tensor.int64([-1, 2]))]);
      const int = (name: string, value: number): ValueId =>
        editor.constant(name, Tensor.int64([value]));
      const turned = editor.add1("Slice", [
        pairs,
        int("s", -1),
        int("e", -(2 ** 40)),
        int("a", 0),
        int("st", -1),
      ]);
      const columns = editor.add1("Transpose", [turned], { perm: attribute.ints([1, 0]) });
      const flat = editor.add1("Reshape", [columns, int("flat", -1)]);
      return editor.add1("Pad", [x ?? null, flat]);
    });
    // pads [[0, 1], [2, 3]] turned and read by columns: 2, 0, 3, 1
    expect(typeText(graph.value(output).type)).toBe("float32[N + 5, 4]");
  });

  test("Where over Equal decides what can be decided", () => {
    const { graph, output } = graphOf([[symbol("N"), 1, 4]], (editor, [x]) => {
      const wanted = editor.add1("Concat", [editor.add1("Shape", [x ?? null])], {
        axis: attribute.int(0),
      });
      const minus = editor.constant("minus", Tensor.int64([-1]));
      const isOpen = editor.add1("Equal", [wanted, minus]);
      const ones = editor.constant("ones", Tensor.int64([1, 1, 1]));
      return editor.add1("Expand", [x ?? null, editor.add1("Where", [isOpen, ones, wanted])]);
    });
    expect(typeText(graph.value(output).type)).toBe("float32[N, 1, 4]");
  });

  test("sizes through float arithmetic come back as integers, but never as wrong ones", () => {
    const halved = (by: number): string => {
      const { graph, output } = graphOf([[symbol("N"), 6]], (editor, [x]) => {
        const float = editor.add1("Cast", [editor.add1("Shape", [x ?? null])], {
          to: attribute.int(1),
        });
        const scaled = editor.add1("Div", [
          float,
          editor.constant("by", Tensor.float32([2], [1, by])),
        ]);
        const whole = editor.add1("Cast", [editor.add1("Floor", [scaled])], {
          to: attribute.int(7),
        });
        return editor.add1("ConstantOfShape", [whole]);
      });
      return typeText(graph.value(output).type);
    };
    expect(halved(2)).toBe("float32[N, 3]");
    expect(halved(4)).not.toContain("1]");
  });
});

test.each([
  ["value", attribute.tensor(Tensor.int64([3, 2]))],
  ["value_ints", attribute.ints([3, 2])],
  ["value_floats", attribute.floats([3, 2])],
])("the integers of a Constant are followed from its %s", (name, value) => {
  const { graph, output } = graphOf([[6]], (editor, [x]) => {
    const target = editor.add1("Constant", [], { [name]: value });
    const integers = editor.add1("Cast", [target], { to: attribute.int(7) });
    return editor.add1("Reshape", [x ?? null, integers]);
  });
  expect(typeText(graph.value(output).type)).toBe("float32[3, 2]");
});

describe("what is not known", () => {
  test("is a number that an int32 does not hold", () => {
    const { graph, output } = graphOf([[2, 6]], (editor, [x]) => {
      const [starts, ends, axes] = [[0], [2 ** 32 + 3], [1]].map((numbers, at) => {
        const wide = editor.constant(`n${at}`, Tensor.int64(numbers));
        return editor.add1("Cast", [wide], { to: attribute.int(6) });
      });
      return editor.add1("Slice", [x ?? null, starts ?? null, ends ?? null, axes ?? null]);
    });
    expect(typeText(graph.value(output).type)).not.toBe("float32[2, 6]");
  });

  test("is what a window makes that is wider than all there is: engines make one place", () => {
    const window = { kernel_shape: attribute.ints([2, 2]), strides: attribute.ints([2, 2]) };
    const { graph, output } = graphOf([[1, 1, 1, 4]], (editor, [x]) =>
      editor.add1("MaxPool", [x ?? null], window),
    );
    const type = typeText(graph.value(output).type).replace(/"?\?\d+"?/, "?");
    expect(type).toBe("float32[1, 1, ?, 2]");
  });

  test("is a shape of more axes than tensors have", () => {
    const dims = Array.from({ length: 64 }, () => 1);
    const { graph, output } = graphOf([dims], (editor, [x]) =>
      editor.add1("Unsqueeze", [x ?? null, editor.constant("axes", Tensor.int64([0]))]),
    );
    expect(typeText(graph.value(output).type)).toBe("float32[*]");
  });

  test("an operator without a row keeps declared types, and is reported", () => {
    const { graph, output } = graphOf([[2, 3]], (editor, [x]) => {
      const made = editor.add1("Mystery", [x ?? null], {}, { domain: "com.example" });
      editor.setType(made, tensorType("float32", [2, symbol("K")]));
      return made;
    });
    expect(inferAll(graph)).toEqual([
      { op: "Mystery", domain: "com.example", node: graph.value(output).name },
    ]);
    expect(typeText(graph.value(output).type)).toBe("float32[2, K]");
  });

  test("the type of a power of what is of no known type, whatever the exponent's is", () => {
    const { graph, output } = graphOf([[2, 3]], (editor, [x]) => {
      const base = editor.add1("Mystery", [x ?? null], {}, { domain: "com.example" });
      editor.setType(base, tensorType(undefined, [2, 3]));
      return editor.add1("Pow", [base, editor.constant("two", Tensor.int64([2], []))]);
    });
    expect(typeText(graph.value(output).type)).toBe("?[2, 3]");
  });

  test("a count that depends on data is one unknown, the same each time", () => {
    const { graph, output } = graphOf([[symbol("N")]], (editor, [x]) => {
      const found = editor.add1("NonZero", [x ?? null]);
      return editor.add1("Concat", [found, found], { axis: attribute.int(1) });
    });
    const before = graph.value(output).type;
    const { changes } = graph;
    inferAll(graph);
    expect(graph.value(output).type).toEqual(before);
    expect(graph.changes).toBe(changes);
  });

  test("a size that is declared of a count that depends on data says nothing of it", () => {
    const { graph, output } = graphOf([[4, 5]], (editor, [x]) => {
      const found = editor.add1("NonZero", [x ?? null]);
      editor.setType(found, tensorType("int64", [2, 20]));
      return editor.add1("Flatten", [found], { axis: attribute.int(2) });
    });
    inferAll(graph);
    expect(typeText(graph.value(output).type)).toMatch(/^int64\[.*\?\d+.*, 1\]$/);
  });

  test("expressions do not grow from layer to layer without end", () => {
    const { graph, output } = graphOf([[symbol("H")]], (editor, [x]) => {
      let value = x ?? null;
      for (let layer = 0; layer < 40 && value !== null; layer += 1) {
        const part = editor.add1("Slice", [
          value,
          editor.constant(`s${layer}`, Tensor.int64([layer % 3])),
          editor.constant(`e${layer}`, Tensor.int64([2 ** 40])),
          editor.constant(`a${layer}`, Tensor.int64([0])),
          editor.constant(`t${layer}`, Tensor.int64([2])),
        ]);
        value = editor.add1("Concat", [part, value, part], { axis: attribute.int(0) });
      }
      return value ?? (0 as ValueId);
    });
    expect(typeText(graph.value(output).type).length).toBeLessThan(1100);
  });
});

test("inference never throws and makes nothing large, whatever a node looks like", () => {
  const rows = [...operators]
    .filter(([, { traits }]) => traits.bodies === undefined)
    .map(([key, { schema }]) => {
      const [op = key, domain = ""] = key.split("::").reverse();
      return { op, domain, attributes: schema.attributes };
    });
  const size = fc.oneof(
    fc.constantFrom(0, 1, 2, 3, 7, 2 ** 31, 2 ** 40),
    fc.constantFrom("N", "H"),
  );
  const shape = fc.array(size, { maxLength: 5 });
  const numbers = fc.array(fc.constantFrom(-(2 ** 40), -3, -1, 0, 1, 2, 5, 2 ** 31, 2 ** 52), {
    maxLength: 5,
  });
  const dtype = fc.constantFrom<Dtype>("float32", "int64", "bool", "string", "float16", "uint8");
  const input = fc.oneof(
    fc.record({ kind: fc.constant("value" as const), dtype, shape }),
    fc.record({ kind: fc.constant("constant" as const), numbers }),
    fc.record({ kind: fc.constant("unknown" as const) }),
    fc.constant(null),
  );
  const name = fc.constantFrom(...new Set(rows.flatMap((row) => row.attributes)));
  const value = fc.oneof(
    numbers.map((list) => attribute.ints(list)),
    fc.constantFrom(-1, 0, 1, 3, 2 ** 40).map((item) => attribute.int(item)),
    fc.constantFrom("SAME_UPPER", "linear", "").map((text) => attribute.string(text)),
  );
  const attributes = fc.dictionary(name, value, { maxKeys: 4 });
  fc.assert(
    fc.property(
      fc.constantFrom(...rows),
      fc.array(input, { maxLength: 6 }),
      attributes,
      fc.integer({ min: 1, max: 4 }),
      (row, inputs, given: Attributes, outputs) => {
        const graph = new Graph(newHeader(), inferNode);
        edit(
          graph,
          "build",
          (editor) => {
            const ids = inputs.map((item, index) => {
              if (item === null) return null;
              if (item.kind === "constant")
                return editor.constant(`c${index}`, Tensor.int64(item.numbers));
              const id = editor.addInput(`x${index}`, { kind: "unknown" });
              if (item.kind === "value") {
                const sizes = item.shape.map((part) =>
                  typeof part === "string" ? symbol(part) : part,
                );
                editor.setType(id, tensorType(item.dtype, sizes));
              }
              return id;
            });
            editor.add(row.op, ids, given, { domain: row.domain, outputs });
          },
          { interface: true },
        );
        for (const node of graph.allNodes()) {
          for (const found of inferNode(graph, node))
            expect(found?.elements?.length ?? 0).toBeLessThanOrEqual(1024);
        }
      },
    ),
    { numRuns: 3000 },
  );
});
