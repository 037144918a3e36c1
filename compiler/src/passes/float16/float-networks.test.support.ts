import { attribute, type Graph, Tensor, tensorType, type ValueId } from "../../ir/index.js";
import { graphOf } from "../../rules/rule-case.test.support.js";

export function network(): Graph {
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

/** Both branches have weights and capture a value; one may hold an operator whose type is not inferred. */
export function branching(opaque = false, first = "then_branch"): Graph {
  return graphOf({ c: ["bool"], x: ["float32", 2, 3] }, (input, b) => {
    const shared = b.add("Exp", [b.add("Neg", [input("x")])]);
    b.editor.setOpset("com.microsoft", 1);
    const branch = (name: string, phase: number, isOpaque = false) => {
      const body = b.editor.addBody(name);
      const values = new Float32Array(9).map((_, i) => Math.sin(i * phase));
      const weight = b.editor.constant("w", Tensor.float32([3, 3], values), body);
      const opaquely = (): ValueId => {
        const pads = b.editor.constant("pads", Tensor.int64([0, 0, 0, 0]), body);
        return b.editor.add1("Pad", [shared, pads], {}, { body, domain: "com.microsoft" });
      };
      const kept = isOpaque ? opaquely() : shared;
      const product = b.editor.add1("MatMul", [kept, weight], {}, { body });
      b.editor.addOutput(product, body);
      return attribute.graph(body);
    };
    const [chosen] = b.editor.add(
      "If",
      [input("c")],
      { [first]: branch("then", 1, opaque), else_branch: branch("else", 2) },
      { name: "branches" },
    );
    return { y: b.add("Relu", [chosen ?? input("x")]) };
  });
}

/** Carries a vector, adds a weighted part of what it captures, and stacks what it has. */
export function looping(): Graph {
  return graphOf({ n: ["int64"], x: ["float32", 1, 4] }, (input, b) => {
    const { editor } = b;
    const start = b.add("Relu", [input("x")]);
    const body = editor.addBody("body");
    editor.addInput("i", tensorType("int64", []), body);
    const goes = editor.addInput("goes", tensorType("bool", []), body);
    const carried = editor.addInput("carried", tensorType("float32", [1, 4]), body);
    const values = new Float32Array(16).map((_, i) => Math.sin(i) / 4);
    const weight = editor.constant("w", Tensor.float32([4, 4], values), body);
    const next = editor.add1(
      "Add",
      [editor.add1("MatMul", [carried, weight], {}, { body }), start],
      {},
      { body },
    );
    editor.addOutput(editor.add1("Identity", [goes], {}, { body }), body);
    editor.addOutput(next, body);
    editor.addOutput(editor.add1("Tanh", [next], {}, { body }), body);
    const [last, stacked] = b.many("Loop", 2, [input("n"), null, start], {
      body: attribute.graph(body),
    });
    if (last === undefined || stacked === undefined) throw new Error("a Loop without outputs");
    return { y: b.add("Neg", [last]), all: b.add("Neg", [stacked]) };
  });
}

/** Sums weighted rows. */
export function scanning(): Graph {
  return graphOf({ s: ["float32", 3], x: ["float32", 5, 3] }, (input, b) => {
    const { editor } = b;
    const body = editor.addBody("body");
    const sum = editor.addInput("sum", tensorType("float32", [3]), body);
    const row = editor.addInput("row", tensorType("float32", [3]), body);
    const weight = editor.constant("w", Tensor.float32([3], [0.5, 0.3, -0.7]), body);
    const next = editor.add1(
      "Add",
      [sum, editor.add1("Mul", [row, weight], {}, { body })],
      {},
      { body },
    );
    editor.addOutput(next, body);
    editor.addOutput(editor.add1("Identity", [next], {}, { body }), body);
    const [last, all] = b.many("Scan", 2, [input("s"), input("x")], {
      body: attribute.graph(body),
      num_scan_inputs: attribute.int(1),
    });
    if (last === undefined || all === undefined) throw new Error("a Scan without outputs");
    return { y: b.add("Neg", [last]), all: b.add("Neg", [all]) };
  });
}
