import { type ByteSource, PareError } from "@pare/runtime/format";
import {
  build,
  type Dim,
  type Graph,
  type Infer,
  newHeader,
  dim,
  type Tensor,
  tensorType,
  type ValueId,
} from "../ir/index.js";
import { readGraphModel } from "./graph-model.js";
import { operators } from "./operators.js";
import { readWeights } from "./weights.js";

/**
 * A TensorFlow.js graph model as a graph.
 * @throws PareError MODEL_INVALID, EXTERNAL_DATA, UNSUPPORTED_OP naming the node
 */
export async function importGraphModel(
  main: ByteSource,
  beside: ReadonlyMap<string, ByteSource>,
  infer: Infer,
): Promise<Graph> {
  const model = await readGraphModel(main);
  const weights = await readWeights(model, beside);
  const { inputs, outputs } = model.signature;
  return build(newHeader(), infer, (editor) => {
    const values = new Map<string, ValueId>();
    for (const [name, { name: tensor, tensorShape }] of Object.entries(inputs)) {
      const dims = tensorShape.dim.map(({ size }): Dim =>
        size === "-1" ? dim.symbol("N") : Number(size),
      );
      values.set(nodeOf(tensor), editor.addInput(name, tensorType("float32", dims)));
    }
    for (const node of model.modelTopology.node) {
      if (values.has(node.name)) continue;
      const known = weights.get(node.name);
      if (known !== undefined) values.set(node.name, editor.constant(node.name, known));
      else values.set(node.name, convert(node.name, node.op));
    }
    for (const [name, { name: tensor }] of Object.entries(outputs)) {
      const value = editor.add1("Identity", [valueOf(tensor)], {}, { outputs: [name] });
      editor.addOutput(value);
    }

    function convert(name: string, op: string): ValueId {
      const node = model.modelTopology.node.find((one) => one.name === name);
      const operator = Object.hasOwn(operators, op) ? operators[op] : undefined;
      if (node === undefined || operator === undefined)
        throw new PareError("UNSUPPORTED_OP", `The operator ${op} of "${name}" is not read.`, {
          where: name,
        });
      const names = (node.input ?? []).map(nodeOf);
      const weight = (input: number): Tensor => {
        const tensor = weights.get(names[input] ?? "");
        if (tensor !== undefined) return tensor;
        throw new PareError("UNSUPPORTED_OP", `"${name}" has no constant weight.`, { where: name });
      };
      const made = names.map(valueOf);
      return operator({ editor, inputs: made, attributes: node.attr ?? {}, weight });
    }

    function valueOf(tensor: string): ValueId {
      const value = values.get(nodeOf(tensor));
      if (value === undefined)
        throw new PareError("MODEL_INVALID", `Nothing makes "${tensor}".`, { where: tensor });
      return value;
    }
  });
}

/** `conv/Relu:0` is the first output of `conv/Relu`. */
function nodeOf(tensor: string): string {
  return tensor.replace(/:0$/, "").replace(/^\^/, "");
}
