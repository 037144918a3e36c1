import { halvesToFloats, PareError } from "@pare/runtime/format";
import {
  attribute,
  codeOfDtype,
  edit,
  type Editor,
  type Graph,
  type Node,
  Tensor,
  type TensorData,
  type ValueId,
  type ValueType,
} from "../../ir/index.js";
import { inferAll, operatorOf } from "../../ops/index.js";
import { dtypeOf } from "../../rules/pattern.js";

const rule = "in-float32";
const float32 = attribute.int(codeOfDtype("float32"));
const float16 = attribute.int(codeOfDtype("float16"));

/** A graph as passes see it that bring theirs to float32: itself, or a fork where it holds float16. */
export function inFloat32(graph: Graph): Graph {
  if (!holdsHalves(graph)) return graph;
  const fork = graph.fork();
  computeInFloat32(fork);
  return fork;
}

/** Is any of it float16, what it computes or what it stores? */
function holdsHalves(graph: Graph): boolean {
  for (const { type } of graph.allValues()) if (mentionsHalves(type)) return true;
  return false;
}

/**
 * Lets a graph compute and store in float32 what is float16 in it; inputs and outputs stay what they are, with casts. As it
 * was where an operator of which nothing is known has float16, or a sequence. The graph is in its normal form.
 */
export function computeInFloat32(graph: Graph): void {
  if (!holdsHalves(graph)) return;
  for (const node of graph.allNodes()) {
    if (!isInTheWay(graph, node)) continue;
    graph.leave(rule, node, "it has float16, and what it would give of float32 is not known");
    return;
  }
  edit(graph, rule, (editor) => {
    for (const node of graph.allNodes()) sayFloats(editor, node);
    const stay = new Set([...graph.main.inputs, ...givenAsHalves(graph, editor)]);
    for (const input of graph.main.inputs)
      if (isHalf(graph, input)) readAsFloats(graph, editor, input);
    for (const { id, type, constant } of graph.allValues()) {
      if (stay.has(id) || type.kind !== "tensor" || type.dtype !== "float16") continue;
      if (constant === undefined) editor.setType(id, { ...type, dtype: "float32" });
      else editor.setConstant(id, inFloats(constant));
    }
  });
  inferAll(graph);
}

/**
 * Lets a graph that computes in float32 give floats where it gave float16: what is learned from has gradients. Its interface is
 * another then.
 */
export function giveFloats(graph: Graph): void {
  edit(
    graph,
    rule,
    (editor) => {
      for (const [index, output] of [...graph.main.outputs].entries()) {
        const cast = isHalf(graph, output) ? graph.producer(output) : undefined;
        const floats = cast?.op === "Cast" && cast.domain === "" ? cast.inputs[0] : undefined;
        if (floats === undefined || floats === null) continue;
        if (dtypeOf(graph, floats) !== "float32") continue;
        const { name } = graph.value(output);
        editor.rename(output, `${name}_float16`);
        editor.rename(floats, name);
        editor.setOutput(index, floats);
      }
    },
    { interface: true },
  );
}

/** @returns what stays float16: each such output, cast, under the name that it had */
function givenAsHalves(graph: Graph, editor: Editor): readonly ValueId[] {
  const given = new Map<ValueId, ValueId>();
  for (const [index, output] of [...graph.main.outputs].entries()) {
    if (!isHalf(graph, output) || graph.main.inputs.includes(output)) continue;
    const { name } = graph.value(output);
    const known = given.get(output);
    if (known === undefined) editor.rename(output, `${name}_float32`);
    const half = known ?? editor.add1("Cast", [output], { to: float16 }, { outputs: [name] });
    given.set(output, half);
    editor.setOutput(index, half);
  }
  return [...given.values()];
}

function readAsFloats(graph: Graph, editor: Editor, input: ValueId): void {
  const { name, uses } = graph.value(input);
  const readers = [...uses];
  const floats = editor.add1("Cast", [input], { to: float32 }, { outputs: [`${name}_float32`] });
  for (const use of readers)
    if (use.kind === "node") editor.setInput(use.node, use.index, floats);
    else if (use.body !== graph.main.id) editor.setOutput(use.index, floats, graph.body(use.body));
}

/** Lets a node that says of what type its result is say float32. */
function sayFloats(editor: Editor, node: Node): void {
  const named = operatorOf(node)?.traits.outputDtype;
  const code = named === undefined ? undefined : node.attributes.get(named);
  if (named !== undefined && code?.type === "int" && code.value === BigInt(codeOfDtype("float16")))
    editor.setAttribute(node.id, named, float32);
  if (node.op !== "ConstantOfShape" || node.domain !== "") return;
  const fill = node.attributes.get("value");
  if (fill?.type === "tensor" && fill.value.dtype === "float16")
    editor.setAttribute(node.id, "value", attribute.tensor(inFloats(fill.value)));
}

/** What is in memory stays there; the rest is widened as it is read. */
function inFloats(tensor: Tensor): Tensor {
  const { dims, data } = tensor;
  return data === undefined
    ? Tensor.lazy("float32", dims, async () => widened(await tensor.read()))
    : Tensor.of("float32", dims, widened(data));
}

function widened(data: TensorData): Float32Array {
  if (data instanceof Uint16Array) return halvesToFloats(data);
  throw new PareError("INTERNAL", "Elements of a float16 tensor are no 16 bits.");
}

function isInTheWay(graph: Graph, node: Node): boolean {
  const types = [...node.inputs, ...node.outputs].flatMap((id) =>
    id === null ? [] : [graph.value(id).type],
  );
  if (operatorOf(node) === undefined) return types.some(mentionsHalves);
  return types.some((type) => type.kind !== "tensor" && mentionsHalves(type));
}

function isHalf(graph: Graph, id: ValueId): boolean {
  return dtypeOf(graph, id) === "float16";
}

function mentionsHalves(type: ValueType): boolean {
  switch (type.kind) {
    case "tensor":
      return type.dtype === "float16";
    case "sequence":
    case "optional":
      return mentionsHalves(type.element);
    case "map":
      return mentionsHalves(type.value);
    case "sparse-tensor":
    case "unknown":
      return false;
    default:
      return type satisfies never;
  }
}
