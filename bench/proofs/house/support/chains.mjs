// Long models of small nodes, as the bytes of ONNX files: each kind gives another part of the compiler much to do.
import { writeMessage } from "../../../../compiler/dist/onnx/write-message.js";

/** A link of each kind: what it makes of what it reads. Links are added until the model has all its nodes. */
export const kinds = {
  "Add, a constant each": (graph, from, at) => graph.node("Add", [from, graph.number(1 / (at + 1))]),
  "Add, one constant": (graph, from) => graph.node("Add", [from, "one"]),
  "Add, equal constants": (graph, from) => graph.node("Add", [from, graph.number(0.5)]),
  "Add and Constant": (graph, from, at) =>
    graph.node("Add", [from, graph.node("Constant", [], [float("value_float", 1 / (at + 1))])]),
  "Mul and Relu": (graph, from, at) =>
    graph.node("Relu", [graph.node("Mul", [from, graph.number(1.5 + at)])]),
  "Mul by equal constants and Relu": (graph, from) =>
    graph.node("Relu", [graph.node("Mul", [from, graph.number(1.5)])]),
  Sin: (graph, from) => graph.node("Sin", [from]),
  Identity: (graph, from) => graph.node("Identity", [from]),
  "Transpose and back": (graph, from) =>
    graph.node("Transpose", [graph.node("Transpose", [from], [ints("perm", [1, 0])])]),
  "Div that becomes Mul, and Sin": (graph, from) =>
    graph.node("Sin", [graph.node("Div", [from, "four"])]),
  "Sin, and what is computed of constants": (graph, from, at) =>
    graph.node("Sin", [
      graph.node("Add", [from, graph.node("Exp", [graph.node("Neg", [graph.number(at % 9)])])]),
    ]),
  "only constants": (graph, from, at) => graph.node("Sin", [at === 0 ? "one" : from]),
  "equal nodes in pairs": (graph, from) =>
    graph.node("Mul", [graph.node("Sin", [from]), graph.node("Sin", [from])]),
  "Sin, each an output": (graph, from) => graph.output(graph.node("Sin", [from])),
  "Sin, and a node that nobody reads": (graph, from) => {
    graph.node("Cos", [from]);
    return graph.node("Sin", [from]);
  },
  "Shape, Gather, Reshape": (graph, from) => {
    const rows = graph.node("Gather", [graph.node("Shape", [from]), "first"]);
    const target = graph.node("Concat", [rows, "last"], [int("axis", 0)]);
    return graph.node("Sin", [graph.node("Reshape", [from, target])]);
  },
  "Clip and Unsqueeze of opset 9": (graph, from) => {
    const clipped = graph.node("Clip", [from], [float("min", 0), float("max", 5)]);
    const longer = graph.node("Unsqueeze", [clipped], [ints("axes", [0])]);
    return graph.node("Squeeze", [longer], [ints("axes", [0])]);
  },
  "many readers of one value": (graph, from) =>
    graph.node("Add", [graph.node("Sin", [graph.node("Mul", ["x", graph.number(3)])]), from]),
  "MatMul, Add, Relu": (graph, from, at) =>
    graph.node("Relu", [
      graph.node("Add", [graph.node("MatMul", [from, graph.matrix(at)]), graph.number(at)]),
    ]),
  "If that is known, names repeated inside": (graph, from) => graph.branch("yes", from),
  "If of an input": (graph, from) => graph.branch("condition", from),
};

/** A model of so many nodes of a kind, those inside an If counted. */
export async function chain(kind, count) {
  const graph = new GraphBuilder();
  let last = "x";
  for (let at = 0; graph.count < count; at += 1) last = kinds[kind](graph, last, at);
  return writeMessage("ModelProto", {
    irVersion: 8n,
    opsetImport: [{ version: kind.endsWith("opset 9") ? 9n : 13n }],
    graph: graph.message(last),
  });
}

const [floatCode, int64Code, boolCode] = [1, 7, 9];

class GraphBuilder {
  count = 0;
  #nodes = [];
  #outputs = [];
  #initializers = [
    tensor("one", floatCode, [], Float32Array.of(1)),
    tensor("four", floatCode, [], Float32Array.of(4)),
    tensor("first", int64Code, [1n], BigInt64Array.of(0n)),
    tensor("last", int64Code, [1n], BigInt64Array.of(-1n)),
    tensor("yes", boolCode, [], Uint8Array.of(1)),
  ];

  node(opType, input, attribute = []) {
    const name = `${opType}_${this.count}`;
    this.#nodes.push({ opType, name, input, output: [name], attribute });
    this.count += 1;
    return name;
  }

  number(value) {
    return this.#initializer([], [value]);
  }

  /** Three rows and columns. */
  matrix(seed) {
    return this.#initializer(
      [3n, 3n],
      Array.from({ length: 9 }, (_, at) => Math.sin(seed + at)),
    );
  }

  #initializer(dims, values) {
    const name = `constant_${this.#initializers.length}`;
    this.#initializers.push(tensor(name, floatCode, dims, Float32Array.from(values)));
    return name;
  }

  /** An If whose branches call what they make alike in every link. */
  branch(condition, from) {
    const body = (name, opType) =>
      graphOf(name, {
        name,
        node: [{ opType, input: [from], output: ["same"] }],
        output: [{ name: "same" }],
      });
    this.count += 2;
    return this.node("If", [condition], [body("then_branch", "Sin"), body("else_branch", "Cos")]);
  }

  output(name) {
    this.#outputs.push(name);
    return name;
  }

  message(last) {
    const outputs = this.#outputs.at(-1) === last ? this.#outputs : [...this.#outputs, last];
    return {
      name: "chain",
      node: this.#nodes,
      initializer: this.#initializers,
      input: [valueInfo("x", floatCode, [2n, 3n]), valueInfo("condition", boolCode, [])],
      output: outputs.map((name) => valueInfo(name, floatCode)),
    };
  }
}

function tensor(name, dataType, dims, { buffer }) {
  return { name, dataType, dims, rawData: new Uint8Array(buffer) };
}

function valueInfo(name, elemType, dims) {
  const shape = dims && { dim: dims.map((dimValue) => ({ dimValue })) };
  return { name, type: { tensorType: { elemType, ...(shape && { shape }) } } };
}

const float = (name, f) => ({ name, type: 1, f });
const int = (name, i) => ({ name, type: 2, i: BigInt(i) });
const graphOf = (name, g) => ({ name, type: 5, g });
const ints = (name, values) => ({ name, type: 7, ints: values.map(BigInt) });
