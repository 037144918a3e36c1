import { PareError } from "@pare/runtime/format";
import type { Graph, Node, Tensor, ValueId } from "../ir/index.js";
import type { LearnedInput } from "../ops/index.js";
import { learnedInputs } from "./learned-inputs.js";
import { untieVectors } from "./untie-vectors.js";

/** A constant of a model that was learned. */
export interface LearnedConstant {
  readonly value: ValueId;
  readonly tensor: Tensor;
  readonly as: LearnedInput["as"];
  /** The first that reads it. */
  readonly reader: Node;
  /** A name that tells it from the others of the model, for messages and checkpoints. */
  readonly name: string;
}

/** All float32 constants of the main graph that were learned, in order of execution. */
export function learnedConstants(graph: Graph): readonly LearnedConstant[] {
  const found = new Map<ValueId, LearnedConstant>();
  const names = new Set<string>();
  for (const reader of graph.order()) {
    for (const { input, as, rank } of learnedInputs(graph, reader)) {
      const value = reader.inputs[input];
      const tensor = graph.constant(value);
      if (value === null || value === undefined || tensor === undefined || found.has(value))
        continue;
      if (tensor.dtype !== "float32" || tensor.count === 0) continue;
      if (rank !== undefined && tensor.dims.length !== rank) continue;
      const name = freeName(graph.value(value).name, names);
      found.set(value, { value, tensor, as, reader, name });
    }
  }
  return [...found.values()];
}

/** Of the numbers of weights, those that are integers, which no step changes: 0 to 1. */
export function integerShare(graph: Graph): number {
  const learned = learnedConstants(graph).reduce((sum, { tensor }) => sum + tensor.count, 0);
  let integers = 0;
  for (const { op, inputs } of graph.order())
    if (op === "DequantizeLinear") integers += graph.constant(inputs[0])?.count ?? 0;
  return integers === 0 ? 0 : integers / (integers + learned);
}

function freeName(name: string, taken: Set<string>): string {
  const stem = name === "" ? "constant" : name;
  let free = stem;
  for (let count = 2; taken.has(free); count += 1) free = `${stem} (${count})`;
  taken.add(free);
  return free;
}

/**
 * Says before anything is measured that a model, in normal form, could not be trained.
 * @throws PareError as `trainedConstants`
 */
export function demandTrainable(graph: Graph, frozen: readonly string[]): void {
  const apart = graph.fork();
  untieVectors(apart);
  trainedConstants(apart, learnedConstants(apart), frozen);
}

/** Is a constant called so: itself, in the file, or what reads it? A `*` at the end of a name stands for any ending. */
export function isNamed(
  graph: Graph,
  { name, value, reader }: LearnedConstant,
  names: readonly string[],
): boolean {
  return [name, graph.value(value).name, graph.nodeLabel(reader)].some((one) =>
    isAmong(names, one),
  );
}

export function isAmong(names: readonly string[], text: string): boolean {
  return names.some((name) =>
    name.endsWith("*") ? text.startsWith(name.slice(0, -1)) : text === name,
  );
}

/**
 * What is to be trained: all that was learned but running statistics, and but what is frozen.
 * @param frozen see `isNamed`
 * @throws PareError RECIPE for a name that nothing has, or when nothing is left to be trained
 */
export function trainedConstants(
  graph: Graph,
  learned: readonly LearnedConstant[],
  frozen: readonly string[],
): readonly LearnedConstant[] {
  const trainable = learned.filter(({ as }) => as !== "mean" && as !== "variance");
  const unknown = frozen.find((name) => !trainable.some((one) => isNamed(graph, one, [name])));
  if (unknown !== undefined) {
    const names = trainable.slice(0, 8).map(({ name }) => name);
    throw new PareError("RECIPE", `Nothing that can be trained is called "${unknown}".`, {
      where: "freeze",
      hint: `There are ${names.join(", ")}${trainable.length > names.length ? ", …" : ""}.`,
    });
  }
  const trained = trainable.filter((one) => !isNamed(graph, one, frozen));
  if (trained.length === 0) {
    throw new PareError(
      frozen.length > 0 ? "RECIPE" : "UNSUPPORTED_OP",
      trainable.length > 0
        ? "All that could be trained is frozen."
        : "The model holds no float32 weights that could be trained.",
      {
        where: frozen.length > 0 ? "freeze" : "the model",
        hint:
          trainable.length > 0 ? "Freeze less." : "Train the float32 model, and quantize it then.",
      },
    );
  }
  return trained;
}
