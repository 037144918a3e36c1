import { PareError } from "@pare/runtime/format";
import {
  edit,
  type Graph,
  type Node,
  type NodeId,
  normalOpset,
  sameShape,
  type ValueId,
} from "../ir/index.js";
import { Backward, Emitter, Forward, operatorOf, type TrainingEngine } from "../ops/index.js";
import { Recomputation } from "./checkpointing.js";
import { chooseCheckpoints } from "./choose-checkpoints.js";
import { findPath, type Path } from "./path.js";

export interface DifferentiateOptions {
  /** Where the graph will run: gradients are written in operators that it has fast, correct kernels for. */
  readonly engine: TrainingEngine;
  /** Of an engine that `blockConvolutions` is going to write for; null where not given. */
  readonly channelBlock?: number | null;
  /**
   * Nodes that round (Round, Floor, Ceil, Sign) through which gradients pass as if they did nothing: fake
   * quantization. Through all others none passes. None where not given.
   */
  readonly straightThrough?: ReadonlySet<NodeId>;
  /**
   * Values of the forward pass that are kept for the backward pass; what lies between them is computed again, which
   * takes less memory and one more forward pass. `few` are those with which the least memory does
   * (`chooseCheckpoints`). Where not given, all is kept.
   */
  readonly checkpoints?: readonly ValueId[] | "few";
}

/**
 * Adds to a graph the gradients of a loss, by reverse-mode differentiation: from the loss back to what is wanted, node
 * by node, each operator by its rule (`ops/gradients`), in plain operators of opset 21. One edit: all or nothing. What
 * the graph computed before it computes still; its outputs are the caller's to add.
 *
 * @param loss a float value of static shape; where it has several elements, their sum is differentiated
 * @param withRespectTo float values of the main graph: inputs, initializers or what lies between, of static shape
 * @returns for each of these its gradient, of its shape and dtype: a value of its own, which may become an output. Of
 * what the loss does not depend on, it is zero.
 * @throws PareError UNSUPPORTED_OP naming every operator on the way that has no rule, before anything is changed;
 * MODEL_SHAPE naming a value whose shape is not static; MODEL_VERSION where the graph is not in opset 21; ARGUMENT for
 * a value that is no float
 */
export function differentiate(
  graph: Graph,
  loss: ValueId,
  withRespectTo: readonly ValueId[],
  {
    engine,
    channelBlock = null,
    straightThrough = new Set(),
    checkpoints = [],
  }: DifferentiateOptions,
): ReadonlyMap<ValueId, ValueId> {
  checkOpset(graph);
  for (const value of withRespectTo) checkFloat(graph, value);
  const path = findPath(graph, loss, withRespectTo, straightThrough);
  checkRules(graph, path);
  checkFloat(graph, loss);
  checkShapes(graph, [loss, ...withRespectTo], path);
  return edit(graph, "differentiate", (editor) => {
    const emit = new Emitter(graph, editor, engine, channelBlock);
    const lowered = lowerAll(emit, path);
    const now = (value: ValueId): ValueId => lowered.get(value) ?? value;
    const wanted = withRespectTo.map(now);
    const whole = lowered.size === 0 ? path : findPath(graph, now(loss), wanted, straightThrough);
    const kept = checkpoints === "few" ? chooseCheckpoints(graph, whole) : checkpoints.map(now);
    const recomputation = new Recomputation(emit, whole, new Set(kept));
    const cotangents = goBack(emit, now(loss), whole, recomputation);
    recomputation.dropUnread();
    const taken = new Set<ValueId>();
    return new Map(
      withRespectTo.map((value) => [
        value,
        ownValue(emit, now(value), cotangents(now(value)), taken),
      ]),
    );
  });
}

/** Puts operators that have rules in the place of those that are differentiated step by step: old value → new one. */
function lowerAll(emit: Emitter, { nodes }: Path): ReadonlyMap<ValueId, ValueId> {
  const lowered = new Map<ValueId, ValueId>();
  for (const node of nodes) {
    const gradient = operatorOf(node)?.gradient;
    if (typeof gradient !== "object") continue;
    gradient.lower(new Forward(emit, node)).forEach((value, index) => {
      const old = node.outputs[index] ?? null;
      if (value === null || old === null) return;
      emit.editor.replace(old, value, "is differentiated step by step");
      lowered.set(old, value);
    });
  }
  return lowered;
}

/** Gives the cotangent of any value: what a small change of it does to the loss. */
function goBack(
  emit: Emitter,
  loss: ValueId,
  { nodes, varies }: Path,
  recomputation: Recomputation,
): (value: ValueId) => ValueId | null {
  const contributions = new Map<ValueId, readonly ValueId[]>();
  const cotangentOf = (value: ValueId): ValueId | null => {
    const [first, ...others] = contributions.get(value) ?? [];
    if (first === undefined) return null;
    const sum = others.reduce((total, other) => emit.add(total, other), first);
    contributions.set(value, [sum]);
    return sum;
  };
  const contribute = (value: ValueId, cotangent: ValueId): void => {
    contributions.set(value, [...(contributions.get(value) ?? []), cotangent]);
  };
  contribute(loss, emit.expand(emit.scalar(1, loss), emit.shape(loss)));
  for (const node of [...nodes].reverse()) {
    const own = node.outputs.map((output) => (output === null ? null : cotangentOf(output)));
    const forward = recomputation.nodeFor(node, own.find((id) => id !== null) ?? undefined);
    const gradients = applyRule(emit, node, forward, own, varies);
    node.inputs.forEach((input, index) => {
      const gradient = gradients[index] ?? null;
      if (input !== null && gradient !== null && varies.has(input)) contribute(input, gradient);
    });
  }
  return cotangentOf;
}

/** @param forward the node, or a copy of it, whose values the rule reads */
function applyRule(
  emit: Emitter,
  node: Node,
  forward: Node,
  cotangents: readonly (ValueId | null)[],
  varies: ReadonlySet<ValueId>,
): readonly (ValueId | null)[] {
  const rule = operatorOf(node)?.gradient;
  if (rule === "straight-through") return cotangents.slice(0, 1);
  if (typeof rule !== "function") return [];
  const inputs = [...node.inputs];
  const needs = (index: number): boolean => {
    const input = inputs[index] ?? null;
    return input !== null && varies.has(input);
  };
  const gradients = rule(new Backward(emit, forward, cotangents, needs));
  gradients.forEach((gradient, index) => {
    const input = inputs[index] ?? null;
    if (gradient === null || input === null) return;
    if (!sameShape(emit.shape(gradient), emit.shape(input)))
      throw new PareError(
        "INTERNAL",
        `The gradient of ${node.op} is [${emit.shape(gradient).join(", ")}] for an input of [${emit.shape(input).join(", ")}].`,
        { where: emit.graph.nodeLabel(node) },
      );
  });
  return gradients;
}

/** The gradient as a value that a node makes and that no other gradient is: two outputs cannot be one. */
function ownValue(
  emit: Emitter,
  value: ValueId,
  gradient: ValueId | null,
  taken: Set<ValueId>,
): ValueId {
  const found = gradient ?? emit.zeros(emit.shape(value), value);
  const isOwn = emit.graph.producer(found) !== undefined && !taken.has(found);
  const own = isOwn ? found : emit.node("Identity", [found]);
  taken.add(own);
  emit.editor.rename(own, `${emit.graph.value(value).name}.gradient`);
  return own;
}

function checkOpset(graph: Graph): void {
  const version = graph.opset();
  if (version === normalOpset) return;
  throw new PareError(
    "MODEL_VERSION",
    `Gradients are written for opset ${normalOpset}, and the graph is in ${version ?? "none"}.`,
    { hint: "Run the pass `normalize` first." },
  );
}

function checkFloat(graph: Graph, value: ValueId): void {
  const { name, type } = graph.value(value);
  const dtype = type.kind === "tensor" ? type.dtype : undefined;
  if (dtype !== undefined && /^b?float\d+$/.test(dtype)) return;
  throw new PareError(
    "ARGUMENT",
    `${name} is ${dtype ?? "of an unknown type"}: only floats have gradients.`,
    {
      where: name,
    },
  );
}

function checkRules(graph: Graph, { nodes }: Path): void {
  const missing = new Map<string, string[]>();
  for (const node of nodes) {
    if (operatorOf(node)?.gradient !== undefined) continue;
    const op = node.domain === "" ? node.op : `${node.domain}::${node.op}`;
    missing.set(op, [...(missing.get(op) ?? []), graph.nodeLabel(node)]);
  }
  if (missing.size === 0) return;
  const list = [...missing].map(([op, labels]) => {
    const more = labels.length > 3 ? ` and ${labels.length - 3} more` : "";
    return `${op} (${labels.slice(0, 3).join(", ")}${more})`;
  });
  const [[first] = []] = [...missing.values()];
  throw new PareError("UNSUPPORTED_OP", `No gradient is known of ${list.join(", ")}.`, {
    where: first,
    hint: `Train only weights that come after these nodes, or export the model with simpler operators.${missing.has("If") ? " Where --shape, --dim and --const say which branch is taken, an If is none." : ""}`,
  });
}

/** Every float on the way: what rules ask for besides they find in constants. */
function checkShapes(graph: Graph, named: readonly ValueId[], { nodes }: Path): void {
  const values = nodes.flatMap((node) => [...node.inputs, ...node.outputs]);
  for (const id of [...named, ...values]) {
    if (id === null) continue;
    const { name, type } = graph.value(id);
    const shape = type.kind === "tensor" ? type.shape : undefined;
    if (shape?.every((size) => typeof size === "number")) continue;
    throw new PareError(
      "MODEL_SHAPE",
      `The shape of ${name} is ${shape === undefined ? "not known" : `[${shape.join(", ")}]`}: gradients need numbers.`,
      { where: name, hint: "Give every free dim a size, the batch too: `--shape` or `--dim`." },
    );
  }
}
