import {
  dependencies,
  type Dim,
  dim,
  type Graph,
  type Node,
  type ValueId,
  shapeOf,
} from "../../ir/index.js";
import {
  hasUnconfirmedSizes,
  keyOf,
  operatorOf,
  unknownSizes,
  unmetDemand,
} from "../../ops/index.js";
import type { BoundedForm } from "./bounded-rows.js";
import { elementOfType } from "./element-of-type.js";
import { otherFloatsInput, otherFloatsOutput } from "./other-floats.js";
import { textInput } from "./text-input.js";
import { textOutput } from "./text-output.js";
import { lowerings } from "./lowerings.js";
import { dtypeOf, NodeFacts } from "./node-facts.js";

/** Why a graph cannot be compiled: one reason, and what it concerns. */
export interface Refusal {
  /** `invalid`: what an operator demands, or a file says of it, does not hold, whatever is compiled. */
  readonly kind: "dimension" | "operator" | "type" | "memory" | "invalid";
  /** A dim, or an operator. */
  readonly what: string;
  readonly why: string;
  /** The option that fixes a dim, or decides which body runs. */
  readonly hint?: string;
  /** Labels of nodes or inputs, at most three, and how many there are. */
  readonly where: readonly string[];
  readonly count: number;
}

const sizesOfRun = "its sizes are known only when it runs";
const typeUnknown = "it computes with a type that is not known";

/** What may be so only because a node before is refused. */
const followsFromOthers: ReadonlySet<string> = new Set([sizesOfRun, typeUnknown, unknownSizes]);

type Reason = Omit<Refusal, "where" | "count">;

/** What computes with sizes alone. */
const ofSizes: ReadonlySet<string> = new Set(["Shape", "Size", "Range"]);

/** A tensor of so many floats is half of the memory that a module can have. */
const mostElements = 2 ** 28;

/** Gathers reasons: of the same one, where it is found. */
class Reasons {
  readonly #found = new Map<string, Refusal>();

  add(reason: Reason, where: string): void {
    const key = `${reason.kind} ${reason.what} ${reason.why} ${reason.hint ?? ""}`;
    const before = this.#found.get(key) ?? { ...reason, where: [], count: 0 };
    const labels = before.where.length < 3 ? [...before.where, where] : before.where;
    this.#found.set(key, { ...before, where: labels, count: before.count + 1 });
  }

  get all(): readonly Refusal[] {
    return [...this.#found.values()];
  }
}

/**
 * Nodes of which their operators demand something else, in a graph before it is lowered: lowering takes for granted that
 * there are none.
 */
export function malformedNodes(graph: Graph): readonly Refusal[] {
  return ofNodes(graph, (node) => unmetDemand(graph, node));
}

/** Nodes whose results have sizes in a file that nothing confirms, in a graph before it is lowered. */
export function unconfirmedNodes(graph: Graph): readonly Refusal[] {
  const why = "the sizes of its result do not follow from what it is given";
  return ofNodes(graph, (node) => (hasUnconfirmedSizes(graph, node) ? why : undefined));
}

function ofNodes(graph: Graph, whyNot: (node: Node) => string | undefined): readonly Refusal[] {
  const reasons = new Reasons();
  for (const node of graph.order()) {
    const what = keyOf(node);
    const why = lowerings.has(what) ? whyNot(node) : undefined;
    if (why !== undefined) reasons.add({ kind: "invalid", what, why }, graph.nodeLabel(node));
  }
  return reasons.all;
}

/** Everything that stands against compiling a graph in the form in which it is lowered; empty where nothing does. */
export function refusals({ graph, against }: BoundedForm): readonly Refusal[] {
  const reasons = new Reasons();
  const refuse = (reason: Reason, where: string): void => reasons.add(reason, where);
  for (const id of graph.main.inputs) {
    const { name } = graph.value(id);
    const shape = shapeOf(graph, id) ?? [];
    openDims(graph, id).forEach((size) => refuse(openDim(size, name, shape), name));
  }
  const hasOpenInputs = reasons.all.length > 0;
  const converted = new Map(
    [
      ...graph.main.inputs.map(
        (id) => [id, textInput(graph, id) ?? otherFloatsInput(graph, id)] as const,
      ),
      ...graph.main.outputs.map(
        (id) => [id, textOutput(graph, id) ?? otherFloatsOutput(graph, id)] as const,
      ),
    ].flatMap(([id, value]) => (value === undefined ? [] : [[id, value] as const])),
  );
  for (const id of [...graph.main.inputs, ...graph.main.outputs]) {
    if (converted.has(id)) continue;
    const dtype = dtypeOf(graph, id);
    const { name } = graph.value(id);
    if (dtype !== undefined && elementOfType(dtype) === undefined)
      refuse({ kind: "type", what: name, why: `the model takes or gives ${dtype}` }, name);
  }
  const boundary = new Set([...converted.values()].map(({ node }) => node));
  // What a refused node leaves unknown: what it makes of the nodes behind it is no reason of its own.
  const unknown = new Set<ValueId>();
  const sized: { readonly refusal: Reason; readonly label: string }[] = [];
  for (const node of graph.order()) {
    if (boundary.has(node)) continue;
    const label = graph.nodeLabel(node);
    const why = against.get(node.id);
    if (why === unknownSizes && hasOpenInputs) continue;
    const refusal =
      why === undefined
        ? refusedNode(graph, node, hasOpenInputs)
        : ({ kind: "operator", what: node.op, why } as const);
    if (refusal === undefined) continue;
    for (const id of node.outputs) if (id !== null && !isKnown(graph, id)) unknown.add(id);
    const follows =
      followsFromOthers.has(refusal.why) && dependencies(graph, node).some((id) => unknown.has(id));
    // Sizes that are known were left because of what is made of them.
    if (ofSizes.has(node.op) && node.outputs.every((id) => hasKnownElements(graph, id)))
      sized.push({ refusal, label });
    else if (!follows) refuse(refusal, label);
  }
  if (reasons.all.length === 0) for (const { refusal, label } of sized) refuse(refusal, label);
  return reasons.all;
}

function openDim(size: Dim | undefined, input: string, shape: readonly Dim[]): Reason {
  const symbols = size === undefined ? [] : [...dim.symbolsOf(size)];
  const named = symbols.filter((symbol) => !symbol.startsWith("?"));
  const [symbol] = named;
  return {
    kind: "dimension",
    what: symbol ?? `of ${input}`,
    why: "its size is not fixed",
    hint: symbol === undefined ? `--shape ${input}=${sizesText(shape)}` : `--dim ${symbol}=…`,
  };
}

/** As far as a shape is known, with a batch of one sample. */
function sizesText(shape: readonly Dim[]): string {
  const sizes = shape.map((size, axis) => (typeof size === "number" ? size : axis === 0 ? 1 : "…"));
  return sizes.length === 0 ? "1x…" : sizes.join("x");
}

function openDims(graph: Graph, id: ValueId): readonly (Dim | undefined)[] {
  const shape = shapeOf(graph, id);
  return shape === undefined ? [undefined] : shape.filter((size) => typeof size !== "number");
}

function refusedNode(graph: Graph, node: Node, hasOpenInputs: boolean): Reason | undefined {
  const what = keyOf(node);
  const row = lowerings.get(what);
  const facts = new NodeFacts(graph, node);
  const outputs = node.outputs.flatMap((id) => id ?? []);
  // They are gone once the model's own sizes are fixed.
  if (hasOpenInputs && ofSizes.has(what)) return undefined;
  if (row === undefined) {
    const isSized =
      operatorOf(node) === undefined ||
      hasOpenInputs ||
      outputs.every((id) => openDims(graph, id).length === 0);
    const why = isSized ? whyNot(what) : "how large its result is shows only when it runs";
    const hint = what === "If" ? decidedBy(graph, node) : undefined;
    return { kind: "operator", what, why, ...(hint !== undefined && { hint }) };
  }
  const computed = [...facts.inputs.filter((id) => graph.constant(id) === undefined), ...outputs];
  const types = row.types ?? ["float32"];
  const others = computed
    .map((id) => dtypeOf(graph, id))
    .filter((dtype) => dtype === undefined || !types.includes(dtype));
  const [other] = others.filter((dtype) => dtype !== undefined || !hasOpenInputs);
  if (others.length > 0 && (other !== undefined || !hasOpenInputs))
    return {
      kind: "type",
      what,
      why: other === undefined ? typeUnknown : `it computes with ${other}`,
    };
  const sizes = [...facts.inputs, ...outputs].map((id) => shapeOf(graph, id));
  if (!sizes.every((shape) => shape?.every((size) => typeof size === "number") === true)) {
    // What follows from the model's own open dims is said of these.
    if (hasOpenInputs) return undefined;
    return { kind: "dimension", what, why: sizesOfRun };
  }
  if (computed.some((id) => shapeOf(graph, id)?.some((size) => Number(size) <= 0)))
    return { kind: "dimension", what, why: "a tensor has no elements" };
  if (sizes.some((shape) => countOf(shape) > mostElements))
    return { kind: "dimension", what, why: `a tensor has more than ${mostElements} elements` };
  if (!facts.inputs.every((id) => isUsable(graph, id)))
    return { kind: "type", what, why: "a constant is of a type that is not compiled" };
  const why = row.refuse?.(facts);
  return why === undefined ? undefined : { kind: "operator", what, why };
}

function isKnown(graph: Graph, id: ValueId): boolean {
  return dtypeOf(graph, id) !== undefined && openDims(graph, id).length === 0;
}

function hasKnownElements(graph: Graph, id: ValueId | null): boolean {
  return id === null || graph.value(id).elements?.every((one) => typeof one === "number") === true;
}

/** A condition that is computed of more is followed no further. */
const mostFollowed = 100;

/**
 * What decides an If: inputs that are one integer or truth value each, as a sample rate, may never change. Undefined where
 * its condition is computed of anything else, sizes aside.
 */
export function decidedBy(graph: Graph, node: Node): string | undefined {
  const open = [node.inputs[0]];
  const seen = new Set<ValueId>();
  const options: string[] = [];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === null || seen.has(id) || graph.constant(id) !== undefined) continue;
    if (seen.size === mostFollowed) return undefined;
    seen.add(id);
    const { name, producer, type } = graph.value(id);
    if (producer === null) {
      const isOne = type.kind === "tensor" && (type.shape ?? [0]).every((size) => size === 1);
      if (!isOne || !["bool", "int32", "int64"].includes(type.dtype ?? "")) return undefined;
      options.push(`--const ${name}=…`);
      continue;
    }
    const made = graph.node(producer);
    if (ofSizes.has(made.op)) continue;
    for (const before of dependencies(graph, made)) open.push(before);
  }
  return options.length === 0 ? undefined : options.sort().join(" ");
}

/** An Einsum that is left is none that simplify could say in operators that are compiled. */
function whyNot(op: string): string {
  return op === "Einsum"
    ? "it is not compiled where it takes a diagonal, as in ii, reads integers, or has more than 8 operands or 12 axes"
    : "it is not compiled";
}

function countOf(shape: readonly Dim[] | undefined): number {
  return (shape ?? []).reduce<number>((product, size) => product * Number(size), 1);
}

function isUsable(graph: Graph, id: ValueId): boolean {
  const dtype = dtypeOf(graph, id);
  return dtype !== undefined && elementOfType(dtype) !== undefined;
}
