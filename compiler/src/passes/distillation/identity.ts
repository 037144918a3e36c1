import { bytesOf, sha256Sync } from "@pare/runtime/format";
import { Fingerprints } from "../../analysis/fingerprints.js";
import { contentKey, edit, type Graph } from "../../ir/index.js";
import { absent, type TrainingIdentity } from "../../train/checkpoint.js";
import { liftConstant } from "../../train/interface.js";
import type { Objective } from "../../train/objectives.js";
import type { LearnedConstant } from "../../train/parameters.js";
import type { Samples } from "../../train/samples.js";
import type { DistillOptions } from "./options.js";

/** Who learns from what. */
interface Taught {
  readonly student: Graph;
  readonly learned: readonly LearnedConstant[];
  readonly trained: readonly LearnedConstant[];
  readonly teacher: Graph | undefined;
  readonly samples: Samples;
  /** Of a fork of the student that holds what signals read. */
  readonly objectives: readonly Objective[];
  readonly model: Graph;
}

/** What a checkpoint says of a training beside what `train` knows of itself: with anything else it does not go on. */
export async function identityOf(
  { student, learned, trained, teacher, samples, objectives, model }: Taught,
  { alpha, temperature, labels, signals, freeze, learn, norms }: DistillOptions,
): Promise<TrainingIdentity> {
  const counted = norms === "batch" ? learned.filter(isStatistic) : [];
  return {
    alpha,
    temperature,
    labels,
    signals: JSON.stringify(signals),
    freeze: JSON.stringify(freeze),
    learn: JSON.stringify(learn),
    student: await contentOf(without(student, [...trained, ...counted])),
    teacher: teacher === undefined ? absent : await contentOf(teacher),
    data: dataOf(samples),
    // Last: what else is another says more.
    objectives: digest(
      objectives.map(({ loss, value, dims, axis, target }) =>
        JSON.stringify([loss, model.value(value).name, dims, axis, target.from]),
      ),
    ),
  };
}

const isStatistic = ({ as }: LearnedConstant): boolean => as === "mean" || as === "variance";

/** A graph whose constants are inputs: what these hold is the checkpoint's. */
function without(graph: Graph, constants: readonly LearnedConstant[]): Graph {
  const rest = graph.fork();
  edit(
    rest,
    "identity",
    (editor) => {
      for (const [index, one] of constants.entries()) liftConstant(editor, one, `learned_${index}`);
    },
    { interface: true },
  );
  return rest;
}

/** What the outputs are made of. */
export async function contentOf(graph: Graph): Promise<string> {
  const names = await new Fingerprints().of(graph);
  return digest(graph.main.outputs.map((id) => names.get(id) ?? "?"));
}

function dataOf({ columns, labels }: Samples): string {
  const parts = Object.entries(columns).map(
    ([name, { type, dims, data }]) => `${name} ${type} ${dims.join()} ${contentKey(bytesOf(data))}`,
  );
  const own = labels === null ? "none" : `${labels.kind} ${contentKey(bytesOf(labels.values))}`;
  return digest([...parts, own]);
}

function digest(parts: readonly string[]): string {
  return sha256Sync(new TextEncoder().encode(JSON.stringify(parts))).slice(0, 16);
}
