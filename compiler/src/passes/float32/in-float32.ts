import { type Dtype, halvesToFloats, PareError } from "@pare/runtime/format";
import {
  type Attribute,
  attribute,
  codeOfDtype,
  edit,
  type Editor,
  type Graph,
  type Node,
  type NodeId,
  Tensor,
  type TensorData,
  type ValueId,
  type ValueType,
} from "../../ir/index.js";
import { inferAll, operatorOf } from "../../ops/index.js";
import { dtypeOf } from "../../rules/pattern.js";
import { exactDoubles } from "./exact-doubles.js";
import { asksForNoFloat, isOfTrees, readTrees, sayTreesInFloats } from "./decision-trees.js";

const rule = "in-float32";
const float32 = attribute.int(codeOfDtype("float32"));

/** Floats that are brought to float32. */
const others = ["float16", "float64"] as const;
type OtherFloat = (typeof others)[number];

function isOther(dtype: Dtype | undefined): dtype is OtherFloat {
  return others.some((other) => other === dtype);
}

/** A graph as passes see it that bring theirs to float32: itself, or a fork where it holds other floats. */
export async function inFloat32(graph: Graph): Promise<Graph> {
  if (!holdsOthers(graph)) return graph;
  const fork = graph.fork();
  await computeInFloat32(fork);
  return fork;
}

/** Is any of it, what it computes or what it stores, in a type? */
export function holdsType(graph: Graph, dtype: Dtype): boolean {
  for (const { type } of graph.allValues()) if (mentions(type, dtype)) return true;
  return false;
}

function holdsOthers(graph: Graph): boolean {
  return others.some((dtype) => holdsType(graph, dtype));
}

/**
 * Lets a graph compute and store in float32 what is float16 or float64 in it; inputs and outputs stay what they are, with
 * casts. As it was where an operator of which nothing is known has such floats, or a sequence. The graph is in its normal form.
 */
export async function computeInFloat32(graph: Graph): Promise<void> {
  if (!holdsOthers(graph)) return;
  for (const node of graph.allNodes()) {
    const other = inTheWay(graph, node);
    if (other === undefined) continue;
    graph.leave(rule, node, `it has ${other}, and what it would give of float32 is not known`);
    return;
  }
  const trees = await readTrees(graph);
  const [exact] = [...trees].find(([node, lists]) => asksForNoFloat(node, lists)) ?? [];
  if (exact !== undefined)
    return graph.leave(rule, exact, "it asks whether a number is one that no float32 is");
  edit(graph, rule, (editor) => {
    for (const [node, lists] of trees) sayTreesInFloats(editor, node, lists);
    const stays = exactDoubles(graph);
    const doubles = keepDoubles(graph, editor, stays);
    for (const node of graph.allNodes()) if (!stays.has(node.id)) sayFloats(editor, node);
    const stay = new Set([...graph.main.inputs, ...doubles]);
    for (const other of givenAsOthers(graph, editor, doubles)) stay.add(other);
    for (const input of graph.main.inputs)
      if (isOther(dtypeOf(graph, input))) readAsFloats(graph, editor, input, stays);
    for (const { id, type, constant } of graph.allValues()) {
      if (stay.has(id) || type.kind !== "tensor" || !isOther(type.dtype)) continue;
      if (constant === undefined) editor.setType(id, { ...type, dtype: "float32" });
      else editor.setConstant(id, inFloats(constant));
    }
  });
  inferAll(graph);
}

/**
 * Lets a graph that computes in float32 give floats where it gave others: what is learned from has gradients. Its interface is
 * another then.
 */
export function giveFloats(graph: Graph): void {
  edit(
    graph,
    rule,
    (editor) => {
      for (const [index, output] of [...graph.main.outputs].entries()) {
        const dtype = dtypeOf(graph, output);
        const cast = isOther(dtype) ? graph.producer(output) : undefined;
        const floats = cast?.op === "Cast" && cast.domain === "" ? cast.inputs[0] : undefined;
        if (floats === undefined || floats === null) continue;
        if (dtypeOf(graph, floats) !== "float32") continue;
        const { name } = graph.value(output);
        editor.rename(output, `${name}_${dtype}`);
        editor.rename(floats, name);
        editor.setOutput(index, floats);
      }
    },
    { interface: true },
  );
}

/**
 * Lets outputs that are inputs or constants in float16 as they are be those in float32, rounded: simplifying makes one of both
 * conversions, and where all floats are float32 nothing moves others.
 */
export function passHalvesAsFloats(graph: Graph): void {
  const halves = graph.main.outputs.flatMap((output) => {
    const node = graph.producer(output);
    const [from] = node?.inputs ?? [];
    const isPassed =
      node?.op === "Identity" && node.domain === "" && dtypeOf(graph, output) === "float16";
    return isPassed && from !== null && from !== undefined ? [{ output, from, node }] : [];
  });
  if (halves.length === 0) return;
  edit(graph, rule, (editor) => {
    const made = new Map<ValueId, ValueId>();
    for (const { output, from, node } of halves) {
      const floats = made.get(from) ?? floatsOf(graph, editor, from);
      made.set(from, floats);
      const half = { to: attribute.int(codeOfDtype("float16")) };
      editor.replace(output, editor.add1("Cast", [floats], half), "is taken in float32");
      editor.remove(node.id);
    }
  });
}

function floatsOf(graph: Graph, editor: Editor, halves: ValueId): ValueId {
  const { name } = graph.value(halves);
  const constant = graph.constant(halves);
  if (constant !== undefined) return editor.constant(`${name}_float32`, inFloats(constant));
  const known = graph
    .consumers(halves)
    .find(
      (one) =>
        one.op === "Cast" &&
        one.domain === "" &&
        dtypeOf(graph, one.outputs[0] ?? undefined) === "float32",
    );
  return known?.outputs[0] ?? editor.add1("Cast", [halves], { to: float32 });
}

/** @returns what stays as it is: each output in other floats, cast, under the name that it had */
function givenAsOthers(
  graph: Graph,
  editor: Editor,
  stay: ReadonlySet<ValueId>,
): readonly ValueId[] {
  const given = new Map<ValueId, ValueId>();
  for (const [index, output] of [...graph.main.outputs].entries()) {
    const dtype = dtypeOf(graph, output);
    if (!isOther(dtype) || graph.main.inputs.includes(output) || stay.has(output)) continue;
    const { name } = graph.value(output);
    const known = given.get(output);
    if (known === undefined) editor.rename(output, `${name}_float32`);
    const to = attribute.int(codeOfDtype(dtype));
    const other = known ?? editor.add1("Cast", [output], { to }, { outputs: [name] });
    given.set(output, other);
    editor.setOutput(index, other);
  }
  return [...given.values()];
}

/** @param exact nodes that go on reading it as it is */
function readAsFloats(
  graph: Graph,
  editor: Editor,
  input: ValueId,
  exact: ReadonlySet<NodeId>,
): void {
  const { name, uses } = graph.value(input);
  const readers = [...uses].filter((use) => use.kind !== "node" || !exact.has(use.node));
  if (readers.length === 0) return;
  const floats = editor.add1("Cast", [input], { to: float32 }, { outputs: [`${name}_float32`] });
  for (const use of readers)
    if (use.kind === "node") editor.setInput(use.node, use.index, floats);
    else if (use.body !== graph.main.id) editor.setOutput(use.index, floats, graph.body(use.body));
}

/**
 * Lets nodes compute in float64 as they do: what they read and give is as it is, and others read it cast.
 * @returns what stays float64
 */
function keepDoubles(
  graph: Graph,
  editor: Editor,
  exact: ReadonlySet<NodeId>,
): ReadonlySet<ValueId> {
  const stay = new Set<ValueId>();
  const isDouble = (id: ValueId | null): id is ValueId =>
    id !== null && dtypeOf(graph, id) === "float64";
  const cast = (id: ValueId, to: "float32" | "float64"): ValueId =>
    editor.add1("Cast", [id], { to: attribute.int(codeOfDtype(to)) });
  for (const id of exact)
    for (const output of graph.node(id).outputs) if (isDouble(output)) stay.add(output);
  for (const id of exact)
    for (const [index, input] of graph.node(id).inputs.entries()) {
      if (!isDouble(input) || stay.has(input) || graph.main.inputs.includes(input)) continue;
      const constant = graph.constant(input);
      const own =
        constant === undefined
          ? cast(input, "float64")
          : editor.constant(graph.value(input).name, constant);
      stay.add(own);
      editor.setInput(id, index, own);
    }
  for (const id of stay) {
    const readers = Array.from(graph.value(id).uses).filter((use) =>
      use.kind === "node"
        ? !exact.has(use.node) && graph.node(use.node).op !== "Cast"
        : use.body !== graph.main.id,
    );
    if (readers.length === 0) continue;
    const floats = cast(id, "float32");
    for (const use of readers)
      if (use.kind === "node") editor.setInput(use.node, use.index, floats);
      else editor.setOutput(use.index, floats, graph.body(use.body));
  }
  for (const id of exact)
    editor.note(
      graph.node(id),
      "it computes on in float64: whole numbers are told apart by their last digits",
    );
  return stay;
}

/** Lets a node that says of what type its result is say float32. */
function sayFloats(editor: Editor, node: Node): void {
  const named = operatorOf(node)?.traits.outputDtype;
  const code = named === undefined ? undefined : node.attributes.get(named);
  if (named !== undefined && code?.type === "int" && otherCodes.has(code.value))
    editor.setAttribute(node.id, named, float32);
  if (!isFilled(node)) return;
  const fill = node.attributes.get("value");
  if (fill?.type === "tensor" && isOther(fill.value.dtype))
    editor.setAttribute(node.id, "value", attribute.tensor(inFloats(fill.value)));
}

const otherCodes = new Set(others.map((dtype) => BigInt(codeOfDtype(dtype))));

function isFilled(node: Node): boolean {
  return node.op === "ConstantOfShape" && node.domain === "";
}

/** What is in memory stays there; the rest is converted as it is read. */
function inFloats(tensor: Tensor): Tensor {
  const { dims, data } = tensor;
  return data === undefined
    ? Tensor.lazy("float32", dims, async () => converted(await tensor.read()))
    : Tensor.of("float32", dims, converted(data));
}

function converted(data: TensorData): Float32Array {
  if (data instanceof Uint16Array) return halvesToFloats(data);
  if (data instanceof Float64Array) return Float32Array.from(data, nearestFinite);
  throw new PareError("INTERNAL", "Elements of other floats are neither 16 nor 64 bits.");
}

const largest = 2 ** 128 - 2 ** 104;

/** What is beyond float32 and finite, as masks are, is its largest number: no product with it is less of a number than before. */
function nearestFinite(value: number): number {
  return Number.isFinite(value) ? Math.max(-largest, Math.min(value, largest)) : value;
}

/** The floats with which it stands against it. */
function inTheWay(graph: Graph, node: Node): OtherFloat | undefined {
  const types = [...node.inputs, ...node.outputs].flatMap((id) =>
    id === null ? [] : [graph.value(id).type],
  );
  const isKnown = operatorOf(node) !== undefined;
  return others.find(
    (dtype) =>
      types.some((type) => (!isKnown || type.kind !== "tensor") && mentions(type, dtype)) ||
      [...node.attributes].some(([name, value]) => holdsUnsaid(node, name, value, dtype)),
  );
}

/** An attribute with elements that are not converted. */
function holdsUnsaid(node: Node, name: string, value: Attribute, dtype: OtherFloat): boolean {
  if (value.type !== "tensor" || value.value.dtype !== dtype) return false;
  return !isFilled(node) && !(dtype === "float64" && isOfTrees(node, name));
}

function mentions(type: ValueType, dtype: Dtype): boolean {
  switch (type.kind) {
    case "tensor":
      return type.dtype === dtype;
    case "sequence":
    case "optional":
      return mentions(type.element, dtype);
    case "map":
      return mentions(type.value, dtype);
    case "sparse-tensor":
    case "unknown":
      return false;
    default:
      return type satisfies never;
  }
}
