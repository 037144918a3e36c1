import {
  isPareError,
  messageOf,
  type PassAccount,
  PareError,
  type StepShare,
  throwIfAborted,
} from "@pare/runtime/format";
import type { Graph, JournalEntry } from "../ir/index.js";
import type { Exactness, PassContext, Registry } from "./pass.js";
import { findPass } from "./registry.js";
import { changeOf, sizesOf } from "./step-share.js";
import type { Step, StepGroup } from "./step.js";

/** What steps made of a graph. */
export interface Applied {
  readonly graph: Graph;
  /** Of the step that changed something and is least exact; "bitwise" where nothing changed. */
  readonly exactness: Exactness;
  readonly changed: boolean;
  /** What these steps said, and nothing from before. */
  readonly journal: readonly JournalEntry[];
  /** What each step did, in order. */
  readonly shares: readonly StepShare[];
}

/** What one step did to a graph. */
export interface Ran {
  /** Of the pass, whatever it did. */
  readonly exactness: Exactness;
  readonly changed: boolean;
  /** What it said. */
  readonly journal: readonly JournalEntry[];
  /** Absent where it neither learns nor cuts. */
  readonly account?: PassAccount | undefined;
}

/**
 * Runs one step on a graph, in place.
 * @throws PareError RECIPE for a wrong option, PASS_FAILED naming the pass, and what the pass itself throws
 */
export async function runStep(
  graph: Graph,
  step: Step,
  context: PassContext,
  passes: Registry,
): Promise<Ran> {
  throwIfAborted(context.signal);
  const definition = findPass(passes, step.use);
  const pass = definition.create(definition.parse(step.with));
  const { changes } = graph;
  const said = graph.journal.length;
  let account: PassAccount | undefined;
  const onAccount = (told: PassAccount): void => {
    account = told;
  };
  try {
    await pass.run(graph, { ...context, onAccount });
  } catch (error) {
    throw isPareError(error) ? error : failed(step.use, error);
  }
  return {
    exactness: pass.exactness,
    changed: graph.changes > changes,
    journal: graph.journal.slice(said),
    account,
  };
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

/**
 * Runs a group's steps one after another on one fork.
 * @param now milliseconds, by which it is told how long each step took; no pass sees it
 * @throws as `applyStep`, ABORTED between steps
 */
export async function applyGroup(
  graph: Graph,
  { steps }: Pick<StepGroup, "steps">,
  context: PassContext,
  passes: Registry,
  now?: () => number,
): Promise<Applied> {
  const { onProgress } = context;
  const fork = graph.fork();
  let exactness: Exactness = "bitwise";
  const shares: StepShare[] = [];
  let sizes = sizesOf(fork);
  for (const [index, step] of steps.entries()) {
    const progress = (fraction: number, what: string): void =>
      onProgress?.((index + fraction) / steps.length, what);
    const began = now?.();
    const ran = await runStep(fork, step, { ...context, onProgress: progress }, passes);
    const { account } = ran;
    if (ran.changed) exactness = lessExact(exactness, ran.exactness);
    const tookMs = now !== undefined && began !== undefined ? now() - began : undefined;
    const after = sizesOf(fork);
    shares.push({
      use: step.use,
      ...changeOf(sizes, after),
      ...(tookMs !== undefined && { tookMs }),
      ...(account !== undefined && { account }),
    });
    sizes = after;
  }
  return {
    graph: fork,
    exactness,
    changed: fork.changes > graph.changes,
    journal: fork.journal.slice(graph.journal.length),
    shares,
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
