import {
  byteSource,
  type Measurement,
  type ModelSource,
  PareError,
  type Precision,
} from "@pare/runtime/format";
import type { Graph, JournalEntry } from "../ir/index.js";
import { encodeModel } from "../onnx/index.js";
import { findPass } from "../passes/index.js";
import type { Exactness, PassContext } from "../pipeline/pass.js";
import type { Step } from "../pipeline/recipe.js";

/** A graph on its way to a file: the steps that made it, and what its journal says of them. */
export interface State {
  readonly graph: Graph;
  readonly steps: readonly Step[];
  readonly precision: Precision;
}

/** A file that can be measured. */
export interface Candidate extends State {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly session: Readonly<Record<string, unknown>>;
  readonly features: readonly string[];
}

export interface Judged extends Candidate {
  readonly measurement: Measurement;
}

export interface AppliedStep {
  readonly graph: Graph;
  readonly exactness: Exactness;
  readonly changed: boolean;
  readonly journal: readonly JournalEntry[];
}

/** Runs one step on a fork; the graph it was given stays as it is. */
export async function applyStep(
  graph: Graph,
  step: Step,
  context: PassContext,
): Promise<AppliedStep> {
  const definition = findPass(step.use);
  const pass = definition.create(definition.parse(step.with ?? {}));
  const fork = graph.fork();
  const entries = fork.journal.length;
  const before = fork.changes;
  try {
    await pass.run(fork, context);
  } catch (error) {
    if (error instanceof PareError) throw error;
    throw new PareError(
      "PASS_FAILED",
      `The pass ${step.use} failed: ${error instanceof Error ? error.message : String(error)}`,
      { where: step.use, cause: error },
    );
  }
  return {
    graph: fork,
    exactness: pass.exactness,
    changed: fork.changes > before,
    journal: fork.journal.slice(entries),
  };
}

/** Writes a graph as one ONNX file. */
export async function encode(graph: Graph): Promise<Uint8Array> {
  return (await encodeModel(graph)).proto;
}

/** A file in memory as an engine or a measurement takes it. */
export function modelOf(bytes: Uint8Array): ModelSource {
  return { proto: byteSource(bytes), external: new Map() };
}
