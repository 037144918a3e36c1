import { type ByteSource, PareError } from "@pare/runtime/format";
import { build, type Graph, type Infer, newHeader, type ValueId } from "../ir/index.js";
import { readGraphModel, type TensorflowNode, type TensorReference } from "./graph-model.js";
import { inputTypes } from "./input-types.js";
import { interfaceOf } from "./interface.js";
import { operators } from "./operators/table.js";
import { neededNodes, sortNodes } from "./sort-nodes.js";
import { Translation } from "./translation.js";
import { readWeights } from "./weights.js";

/**
 * A graph model of TensorFlow.js as a graph of ONNX's operators; inputs and outputs are called what its signature calls them.
 * @param file as messages name it
 * @throws PareError MODEL_INVALID, MODEL_NAME, MODEL_CYCLE, MODEL_LIMIT, EXTERNAL_DATA, UNSUPPORTED_OP naming all operators
 * that are not known, or the node that cannot be said in ONNX
 */
export async function importGraphModel(
  main: ByteSource,
  beside: ReadonlyMap<string, ByteSource>,
  file: string,
  infer: Infer,
): Promise<Graph> {
  const model = await readGraphModel(main, file);
  const { inputs, outputs } = interfaceOf(model, file);
  const ends = [...inputs, ...outputs];
  refuseUnknown(neededNodes(model.nodes, ends));
  const order = sortNodes(model.nodes, ends);
  const weights = await readWeights(model.weights, beside);
  const types = inputTypes(inputs, model.nodes);
  return build(newHeader(), infer, (editor, graph) => {
    const values = new Map<string, readonly ValueId[]>();
    const named = new Set<ValueId>();
    for (const [at, { name, tensor }] of inputs.entries()) {
      const type = types[at];
      if (type !== undefined) values.set(tensor.node, [editor.addInput(name, type)]);
    }
    for (const node of order) {
      if (values.has(node.name)) continue;
      const made = node.op === "Const" ? [weightOf(node)] : translated(node);
      values.set(node.name, made);
      for (const [at, id] of made.entries()) {
        if (graph.producer(id) === undefined || named.has(id)) continue;
        named.add(id);
        editor.rename(id, at === 0 ? node.name : `${node.name}:${at}`);
      }
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
  const unknown = new Map<string, string[]>();
  for (const { name, op } of nodes) {
    if (op === "Const" || op === "Placeholder" || operators.has(op)) continue;
    const alike = unknown.get(op);
    if (alike === undefined) unknown.set(op, [name]);
    else alike.push(name);
  }
  if (unknown.size === 0) return;
  const said = [...unknown].map(([op, [first = "", ...more]]) =>
    more.length === 0
      ? `${op} (${JSON.stringify(first)})`
      : `${op} (${JSON.stringify(first)} and ${more.length} more)`,
  );
  throw new PareError(
    "UNSUPPORTED_OP",
    `Operators of TensorFlow that are not read: ${said.join(", ")}.`,
    {
      where: [...unknown.values()][0]?.[0] ?? "",
      hint: "Export the model without what it does beside its network (texts, tables, loops), or convert the original to ONNX.",
    },
  );
}
