import { isPareError, messageOf, PareError, throwIfAborted } from "@pare/runtime/format";
import type { Graph, JournalEntry } from "../ir/index.js";
import type { Exactness, PassContext, Registry } from "./pass.js";
import { findPass } from "./registry.js";
import type { Step, StepGroup } from "./step.js";

/** What steps made of a graph. */
export interface Applied {
  readonly graph: Graph;
  /** Of the step that changed something and is least exact; "bitwise" where nothing changed. */
  readonly exactness: Exactness;
  readonly changed: boolean;
  /** What these steps said, and nothing from before. */
  readonly journal: readonly JournalEntry[];
}

const leastExactLast: readonly Exactness[] = ["bitwise", "rounding", "lossy"];

/**
 * Runs one step on a fork; the graph it was given stays as it is.
 * @throws PareError RECIPE for a wrong option, PASS_FAILED naming the pass, and what the pass itself throws
 */
export async function applyStep(
  graph: Graph,
  step: Step,
  context: PassContext,
  passes: Registry,
): Promise<Applied> {
  return applyGroup(graph, { steps: [step] }, context, passes);
}

/** Runs a group's steps one after another on one fork. @throws as `applyStep`, ABORTED between steps */
export async function applyGroup(
  graph: Graph,
  { steps }: Pick<StepGroup, "steps">,
  context: PassContext,
  passes: Registry,
): Promise<Applied> {
  const { signal, onProgress } = context;
  const fork = graph.fork();
  let exactness: Exactness = "bitwise";
  for (const [index, step] of steps.entries()) {
    throwIfAborted(signal);
    const definition = findPass(passes, step.use);
    const pass = definition.create(definition.parse(step.with));
    const before = fork.changes;
    const progress = (fraction: number, what: string): void =>
      onProgress?.((index + fraction) / steps.length, what);
    try {
      await pass.run(fork, { ...context, onProgress: progress });
    } catch (error) {
      throw isPareError(error) ? error : failed(step.use, error);
    }
    if (fork.changes > before) exactness = lessExact(exactness, pass.exactness);
  }
  return {
    graph: fork,
    exactness,
    changed: fork.changes > graph.changes,
    journal: fork.journal.slice(graph.journal.length),
  };
}

function lessExact(a: Exactness, b: Exactness): Exactness {
  return leastExactLast.indexOf(a) > leastExactLast.indexOf(b) ? a : b;
}

function failed(use: string, error: unknown): PareError {
  return new PareError("PASS_FAILED", `The pass ${use} failed: ${messageOf(error)}`, {
    where: use,
    cause: error,
  });
}
