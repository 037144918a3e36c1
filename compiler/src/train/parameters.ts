import { PareError } from "@pare/runtime/format";
import type { Graph, Node, Tensor, ValueId } from "../ir/index.js";
import type { LearnedInput } from "../ops/index.js";
import { freeParameters } from "./free-parameters.js";
import { learnedInputs } from "./learned-inputs.js";
import { isAmong } from "./is-among.js";
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

/**
 * All float32 constants of the main graph that were learned, in order of execution.
 * @param learn names of what no layer owns, and was learned; see `isAmong`
 * @throws PareError RECIPE for a name that no such constant has
 */
export function learnedConstants(
  graph: Graph,
  learn: readonly string[] = [],
): readonly LearnedConstant[] {
  const found = new Map<ValueId, LearnedConstant>();
  const names = new Set<string>();
  for (const reader of graph.order()) {
    for (const { input, as, rank } of learnedInputs(graph, reader, learn)) {
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
  const all = [...found.values()];
  const unknown = learn.find((name) =>
    all.every(({ value }) => !isAmong([name], graph.value(value).name)),
  );
  if (unknown !== undefined) {
    const free = freeParameters(graph).map((id) => graph.value(id).name);
    const there = free.length > 0 ? ` No layer owns ${listText(free)}.` : "";
    throw new PareError(
      "RECIPE",
      `No constant that can be trained is called "${unknown}".${there}`,
      {
        where: "learn",
        hint: "Name constants as they are called where the step runs: what simplify folds has other names.",
      },
    );
  }
  return all;
}

/**
 * What may have been learned and stays as it is, because no layer owns it and nobody named it: beside what reads it, in the
 * journal.
 * @returns the same in a sentence; null where nothing does
 */
export function leaveUnlearned(
  graph: Graph,
  learn: readonly string[],
  pass: string,
): string | null {
  const left: string[] = [];
  for (const id of freeParameters(graph)) {
    const { name, uses } = graph.value(id);
    if (isAmong(learn, name)) continue;
    left.push(name);
    const reader = [...uses].find((use) => use.kind === "node");
    if (reader !== undefined)
      graph.leave(
        pass,
        graph.node(reader.node),
        `no layer owns its ${name}, and learn does not name it`,
      );
  }
  if (left.length === 0) return null;
  return `No layer owns ${listText(left)}: not trained. Name in learn what was learned, as position embeddings are.`;
}

function listText(names: readonly string[]): string {
  return `${names.slice(0, 8).join(", ")}${names.length > 8 ? ", …" : ""}`;
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
 * @throws PareError as `learnedConstants` and `trainedConstants`
 */
export function demandTrainable(
  graph: Graph,
  frozen: readonly string[],
  learn: readonly string[] = [],
): void {
  const apart = graph.fork();
  untieVectors(apart);
  trainedConstants(apart, learnedConstants(apart, learn), frozen);
}

/** Is a constant called so: itself, in the file, or what reads it? See `isAmong`. */
export function isNamed(
  graph: Graph,
  { name, value, reader }: LearnedConstant,
  names: readonly string[],
): boolean {
  return [name, graph.value(value).name, graph.nodeLabel(reader)].some((one) =>
    isAmong(names, one),
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
    const names = listText(trainable.map(({ name }) => name));
    throw new PareError("RECIPE", `Nothing that can be trained is called "${unknown}".`, {
      where: "freeze",
      hint: `There are ${names}.`,
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
          trainable.length > 0
            ? "Freeze less."
            : integerShare(graph) > 0
              ? "Train the float32 model, and quantize it then."
              : "Trees and what prepares features have none; pare optimize may still make it faster.",
      },
    );
  }
  return trained;
}
