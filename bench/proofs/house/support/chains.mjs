// Long models of small nodes, as the bytes of ONNX files: each kind gives another part of the compiler much to do.
import { writeMessage } from "../../../../compiler/dist/onnx/write-message.js";

/** What a link of each kind makes of what it reads. Links are added until the model has all its nodes. */
export const kinds = {
  "Add, a constant each": (graph, from, at) =>
    graph.node("Add", [from, graph.number(1 / (at + 1))]),
  "Add, one constant": (graph, from) => graph.node("Add", [from, "one"]),
  "Add, equal constants": (graph, from) => graph.node("Add", [from, graph.number(0.5)]),
  "Div, a constant each": (graph, from, at) => graph.node("Div", [from, graph.number(at + 3)]),
  "Mul and Relu": (graph, from, at) =>
    graph.node("Relu", [graph.node("Mul", [from, graph.number(1.5 + at)])]),
  "Identity and Sin, each an output": (graph, from) =>
    graph.output(graph.node("Sin", [graph.node("Identity", [from])])),
  "Div that becomes Mul, and Sin": (graph, from) =>
    graph.node("Sin", [graph.node("Div", [from, "four"])]),
  "Sin, and what is computed of constants": (graph, from, at) =>
    graph.node("Sin", [
      graph.node("Add", [from, graph.node("Exp", [graph.node("Neg", [graph.number(at % 9)])])]),
    ]),
  "Concat of Concat": (graph, from) => graph.node("Concat", [from, "x"], [int("axis", 0)]),
  "Clip and Unsqueeze of opset 9": (graph, from) => {
    const clipped = graph.node("Clip", [from], [float("min", 0), float("max", 5)]);
    const longer = graph.node("Unsqueeze", [clipped], [ints("axes", [0])]);
    return graph.node("Squeeze", [longer], [ints("axes", [0])]);
  },
  "If that is known, one name in all": (graph, from) => graph.branch("yes", from),
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

const [floatCode, boolCode] = [1, 9];

class GraphBuilder {
  count = 0;
  #nodes = [];
  #outputs = [];
  #initializers = [
    tensor("one", floatCode, [], Float32Array.of(1)),
    tensor("four", floatCode, [], Float32Array.of(4)),
    tensor("yes", boolCode, [], Uint8Array.of(1)),
  ];

  node(opType, input, attribute = []) {
    const name = `${opType}_${this.count}`;
    this.#nodes.push({ opType, name, input, output: [name], attribute });
    this.count += 1;
    return name;
  }

  number(value) {
    const name = `constant_${this.#initializers.length}`;
    this.#initializers.push(tensor(name, floatCode, [], Float32Array.of(value)));
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
