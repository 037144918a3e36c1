import { type ByteSource, PareError } from "@pare/runtime/format";
import { build, type Graph, type Infer, newHeader, type ValueId } from "../ir/index.js";
import { byKind } from "./by-kind.js";
import { graphModelOf, type TensorflowNode, type TensorReference } from "./graph-model.js";
import { inputTypes } from "./input-types.js";
import { interfaceOf } from "./interface.js";
import type { ModelJson } from "./model-json.js";
import { operators } from "./operators/table.js";
import { OutputNames } from "./output-names.js";
import { placeholders } from "./placeholders.js";
import { neededNodes, sortNodes } from "./sort-nodes.js";
import { Translation } from "./translation.js";
import { readWeights } from "./weights.js";

/**
 * A graph model of TensorFlow.js as a graph of ONNX's operators; inputs and outputs are called what its signature calls them.
 * @throws PareError MODEL_INVALID, MODEL_NAME, MODEL_CYCLE, EXTERNAL_DATA, UNSUPPORTED_OP naming all operators that are not
 * known, or the node that cannot be said in ONNX
 */
export async function importGraphModel(
  json: ModelJson,
  beside: ReadonlyMap<string, ByteSource>,
  infer: Infer,
): Promise<Graph> {
  const { file } = json;
  const model = graphModelOf(json);
  const { inputs, outputs } = interfaceOf(model, file);
  const ends = [...inputs, ...outputs];
  refuseUnknown(neededNodes(model.nodes, ends));
  const order = sortNodes(model.nodes, ends);
  const weights = await readWeights(model.weights, beside);
  const types = inputTypes(placeholders(inputs, model.nodes));
  return build(newHeader(), infer, (editor, graph) => {
    const values = new Map<string, readonly ValueId[]>();
    const names = new OutputNames(editor, graph);
    for (const [at, { name, tensor }] of inputs.entries()) {
      const type = types[at];
      if (type !== undefined) values.set(tensor.node, [editor.addInput(name, type)]);
    }
    for (const node of order) {
      if (values.has(node.name)) continue;
      const made = node.op === "Const" ? [weightOf(node)] : translated(node);
      values.set(node.name, made);
      names.give(made, node.name);
    }
    for (const { name, tensor } of outputs)
      editor.addOutput(editor.add1("Identity", [valueOf(tensor)], {}, { outputs: [name] }));

    function weightOf({ name }: TensorflowNode): ValueId {
      const tensor = weights.get(name);
      if (tensor !== undefined) return editor.constant(name, tensor);
      throw new PareError("MODEL_INVALID", `${JSON.stringify(name)} has no weights in ${file}.`, {
        where: name,
      });
    }

    function translated(node: TensorflowNode): readonly ValueId[] {
      const translate = operators.get(node.op);
      if (translate === undefined) throw new PareError("INTERNAL", `${node.op} is not known.`);
      const made = translate(new Translation(node, node.inputs.map(valueOf), editor, graph));
      return typeof made === "number" ? [made] : made;
    }

    function valueOf({ node, output }: TensorReference): ValueId {
      const value = values.get(node)?.[output];
      if (value !== undefined) return value;
      throw new PareError("MODEL_NAME", `${JSON.stringify(node)} has no output ${output}.`, {
        where: node,
      });
    }
  });
}

/** All at once: who has to do something about one wants to know of the others. */
function refuseUnknown(nodes: Iterable<TensorflowNode>): void {
  const unknown = [...nodes]
    .filter(({ op }) => op !== "Const" && op !== "Placeholder" && !operators.has(op))
    .map(({ name, op }) => ({ name, kind: op }));
  const [first] = unknown;
  if (first === undefined) return;
  throw new PareError(
    "UNSUPPORTED_OP",
    `Operators of TensorFlow that are not read: ${byKind(unknown)}.`,
    {
      where: first.name,
      hint: "Export the model without what it does beside its network (texts, tables, loops), or convert the original to ONNX.",
    },
  );
}
