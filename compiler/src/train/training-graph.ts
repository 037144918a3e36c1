import { PareError } from "@pare/runtime/format";
import {
  attribute,
  edit,
  type Editor,
  type Graph,
  type NodeId,
  shapeOf,
  Tensor,
  tensorType,
  type ValueId,
} from "../ir/index.js";
import type { TrainingEngine } from "../ops/index.js";
import { normByBatch, type Statistic } from "./batch-norms.js";
import { blockConvolutions } from "./blocked-convolutions.js";
import { bindBatch, type SampleDims } from "./bind-batch.js";
import { differentiate } from "./differentiate.js";
import { dropByFactors, dropNothing, type Dropout, isDropout } from "./dropouts.js";
import { clearOutputs, giveOutput, liftConstant } from "./interface.js";
import { emitLoss, emitSum } from "./losses.js";
import type { Objective } from "./objectives.js";
import type { LearnedConstant } from "./parameters.js";
import { findPath } from "./path.js";
import { poolFirst } from "./pool-first.js";
import { emitCounts } from "./readings.js";

/** What is trained: an input of the training graph, whose gradient is an output. */
export interface Parameter extends LearnedConstant {
  readonly input: string;
  readonly gradient: string;
}

/** One step as a graph: loss and gradients of a batch. */
export interface TrainingGraph {
  readonly graph: Graph;
  readonly batch: number;
  readonly loss: "loss";
  /** Of each objective, in order, before its weight. */
  readonly terms: readonly string[];
  /** The scores of classes that labels judge; null where there are none. */
  readonly scores: string | null;
  readonly parameters: readonly Parameter[];
  readonly statistics: readonly Statistic[];
  readonly dropouts: readonly Dropout[];
}

export interface TrainingGraphOptions {
  readonly samples: SampleDims;
  readonly batch: number;
  readonly objectives: readonly Objective[];
  readonly learned: readonly LearnedConstant[];
  readonly trained: readonly LearnedConstant[];
  /** See `differentiate`; none where not given. */
  readonly straightThrough?: ReadonlySet<NodeId> | undefined;
  /** `batch`: batch norms normalize by the batch and count its statistics; `frozen`: by the statistics that they have. */
  readonly norms: "batch" | "frozen";
  /** `apply`: dropouts drop by factors that are fed; `skip`: they drop nothing, as in inference. */
  readonly dropout: "apply" | "skip";
  /** Few of the values that gradients need are kept, and the others computed again. */
  readonly recompute: boolean;
  /** Whose kernels the gradients are written for. */
  readonly engine: TrainingEngine;
  /** Channels that it convolves side by side, by `channelBlockFor`; null where not given. */
  readonly channelBlock?: number | null;
}

/**
 * A model in normal form as a training step: parameters become inputs, losses and gradients outputs.
 * @throws PareError UNSUPPORTED_OP where a gradient is not known, naming operator and node, or no parameter has one
 */
export function trainingGraph(model: Graph, options: TrainingGraphOptions): TrainingGraph {
  const { samples, batch, objectives, trained, engine, channelBlock = null, recompute } = options;
  const { straightThrough = new Set() } = options;
  const graph = model.fork();
  bindBatch(graph, samples, batch);
  const lifted = new Map<LearnedConstant, ValueId>();
  const emitted = edit(
    graph,
    "training",
    (editor) => {
      for (const [index, one] of trained.entries())
        lifted.set(one, liftConstant(editor, one, parameterName(index)));
      clearOutputs(editor, graph);
      const prepared = prepareNodes(editor, graph, options);
      return { ...emitObjectives(editor, graph, objectives, batch), ...prepared };
    },
    { interface: true },
  );
  const reached = reachedBy(graph, emitted.loss, lifted, straightThrough);
  const inputs = [...reached.values()];
  const gradients = differentiate(graph, emitted.loss, inputs, {
    engine,
    channelBlock,
    straightThrough,
    checkpoints: recompute ? "few" : [],
  });
  const parameters = [...reached].map(([constant, input], index): Parameter => {
    return { ...constant, input: graph.value(input).name, gradient: `gradient_${index}` };
  });
  edit(
    graph,
    "training",
    (editor) => {
      for (const [index, input] of inputs.entries()) {
        const gradient = gradients.get(input);
        if (gradient !== undefined)
          giveOutput(editor, graph, gradient, parameters[index]?.gradient ?? "");
      }
      // What no loss depends on would be fed in vain, and stays as it is.
      for (const [one, input] of lifted) {
        if (!reached.has(one)) editor.setDefault(input, one.tensor);
      }
      editor.removeInputs([...lifted].flatMap(([one, id]) => (reached.has(one) ? [] : [id])));
    },
    { interface: true },
  );
  if (channelBlock !== null) blockConvolutions(graph, channelBlock);
  return {
    graph,
    batch,
    loss: "loss",
    terms: objectives.map((_, index) => termName(index)),
    scores: emitted.scores ? "scores" : null,
    parameters,
    statistics: emitted.statistics,
    dropouts: emitted.dropouts,
  };
}

const parameterName = (index: number): string => `parameter_${index}`;
const termName = (index: number): string => `loss_${index}`;
/** Of the input that holds what an objective wants. */
export const targetName = (index: number): string => `target_${index}`;

/** Dropouts and batch norms become what they are in training, and pools come first. */
function prepareNodes(
  editor: Editor,
  graph: Graph,
  { learned, objectives, norms, dropout }: TrainingGraphOptions,
): Pick<TrainingGraph, "statistics" | "dropouts"> {
  const byValue = new Map(learned.map((one) => [one.value, one]));
  const statistics: Statistic[] = [];
  const dropouts: Dropout[] = [];
  const kept = new Set(objectives.map(({ value }) => value));
  for (const node of graph.order()) {
    if (node.op === "MaxPool" && node.domain === "") poolFirst(editor, graph, node, kept);
    if (isDropout(node) && dropout === "skip") dropNothing(editor, graph, node);
    else if (isDropout(node)) {
      const made = dropByFactors(editor, graph, node, dropouts.length);
      if (made !== null) dropouts.push(made);
    }
    if (norms === "batch" && node.op === "BatchNormalization" && node.domain === "")
      statistics.push(...normByBatch(editor, graph, node, byValue, statistics.length));
  }
  return { statistics, dropouts };
}

/** Losses with their targets as inputs, and the sum of them as outputs. */
function emitObjectives(
  editor: Editor,
  graph: Graph,
  objectives: readonly Objective[],
  batch: number,
): { readonly loss: ValueId; readonly scores: boolean } {
  let scores = false;
  const terms = objectives.map((objective, index) => {
    const { loss, value, dims, axis, mask, weight } = objective;
    const isClasses = loss.kind === "cross-entropy" && loss.targets === "classes";
    const places = placesOf(objective);
    const type = isClasses
      ? tensorType("int64", [batch, ...places])
      : tensorType("float32", [batch, ...dims]);
    const target = editor.addInput(targetName(index), type);
    const own = inRows(editor, graph, value, [batch, ...dims]);
    const isAlongRows = loss.kind === "mse" || loss.kind === "binary-cross-entropy";
    const last = (id: ValueId): ValueId =>
      isAlongRows ? id : withClassesLast(editor, id, dims.length, axis);
    const term = emitLoss(editor, loss, last(own), isClasses ? target : last(target), {
      classes: dims[axis] ?? 1,
      rows: places.reduce((product, size) => product * size, batch),
      counts: mask === undefined ? undefined : emitCounts(editor, mask),
    });
    giveOutput(editor, graph, term, termName(index));
    if (isClasses && places.length === 0 && !scores) {
      giveOutput(editor, graph, editor.add1("Identity", [value]), "scores");
      scores = true;
    }
    return { loss: term, weight };
  });
  const loss = editor.add1("Identity", [emitSum(editor, terms)], {}, { outputs: ["loss"] });
  editor.addOutput(loss);
  return { loss, scores };
}

/** A sample's dims without that of the classes: each place has some of its own. */
export function placesOf({ dims, axis }: Pick<Objective, "dims" | "axis">): readonly number[] {
  return dims.toSpliced(axis, 1);
}

/** Losses go along the last axis. */
function withClassesLast(editor: Editor, value: ValueId, rank: number, axis: number): ValueId {
  if (rank === 0 || axis === rank - 1) return value;
  const axes = Array.from({ length: rank + 1 }, (_, index) => index);
  const order = [...axes.toSpliced(axis + 1, 1), axis + 1];
  return editor.add1("Transpose", [value], { perm: attribute.ints(order) });
}

/** Scores as their targets lie, which have no dims of 1. */
function inRows(editor: Editor, graph: Graph, value: ValueId, dims: readonly number[]): ValueId {
  const shape = shapeOf(graph, value);
  if (shape === undefined || shape.length === dims.length) return value;
  const sizes = editor.constant("loss_rows", Tensor.int64(dims));
  return editor.add1("Reshape", [value, sizes]);
}

/** Those that the loss depends on. @throws PareError UNSUPPORTED_OP where it depends on none */
function reachedBy(
  graph: Graph,
  loss: ValueId,
  lifted: ReadonlyMap<LearnedConstant, ValueId>,
  straightThrough: ReadonlySet<NodeId>,
): ReadonlyMap<LearnedConstant, ValueId> {
  const { nodes } = findPath(graph, loss, lifted.values(), straightThrough);
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const reached = [...lifted].filter(([, input]) => read.has(input));
  if (reached.length > 0) return new Map(reached);
  const names = [...lifted.keys()].slice(0, 3).map(({ name }) => `"${name}"`);
  throw new PareError(
    "UNSUPPORTED_OP",
    `The loss does not depend on anything that is trained: ${names.join(", ")}${lifted.size > names.length ? ", …" : ""}.`,
    { where: "the loss", hint: "Freeze less, or let the loss look at an output behind it." },
  );
}
