import { Fingerprints } from "../analysis/fingerprints.js";
import { Learned } from "./make/learned.js";
import { type MakeServices, ordered, type Ordered } from "./make/make.js";
import type { Plan } from "./plan/plan.js";
import { Progress } from "./progress.js";
import { SearchRecord } from "./record/record.js";
import type { OptimizeRequest } from "./request.js";
import { SharedFiles } from "./make/shared-files.js";
import type { TargetState } from "./trial/target-state.js";

/** What the parts of one search share. */
export interface Search {
  readonly request: OptimizeRequest;
  readonly recipe: Ordered;
  readonly services: MakeServices;
  /** Of the targets that are open: one that fails is taken out. */
  readonly states: TargetState[];
  readonly record: SearchRecord;
  readonly progress: Progress;
}

/** An engine that has not answered by the end of the time, and a little more, is taken for hung. */
const graceMs = 5000;
const patienceMs = 60_000;

/** @param recipeSha256 of the recipe, for the lock */
export function beginSearch(request: OptimizeRequest, recipeSha256: string): Search {
  const { activations, examples, training, graph, kept, seed, sizes, signal, clock } = request;
  const { fingerprints = new Fingerprints() } = request;
  const states: TargetState[] = [];
  const progress = new Progress(request, states);
  return {
    request,
    recipe: ordered(request.recipe),
    states,
    record: new SearchRecord(request, recipeSha256),
    progress,
    services: {
      activations,
      examples,
      training,
      teacher: graph,
      kept,
      fingerprints,
      learned: new Learned(),
      files: new SharedFiles(),
      seed,
      sizes,
      now: () => clock.now(),
      signal,
      onProgress: (_, what) => progress.within(what),
    },
  };
}

/**
 * How long an engine may take for one answer: until the time is up, and never less than a few seconds.
 * @param plan null before there is one
 */
export function answerLimitMs({ clock, budget }: OptimizeRequest, plan: Plan | null): number {
  const endMs = plan === null ? budget.timeBudgetMs : plan.schedule.budgetMs;
  return endMs === null ? patienceMs : Math.max(graceMs, endMs - clock.now());
}
