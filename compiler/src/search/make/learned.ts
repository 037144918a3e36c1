import type { Graph } from "../../ir/index.js";
import type { StepGroup } from "../../pipeline/step.js";
import type { Planned } from "../candidate.js";
import { passesIn } from "./precision.js";

/** What identifies a group's work. */
export function groupKey({ steps }: Pick<StepGroup, "steps">): string {
  return JSON.stringify(steps);
}

/** What identifies what is learned, on whatever target: where a recipe has the same steps again, they learn again. */
export function lessonKey({ name, group }: Pick<Planned, "name" | "group">): string {
  return `${name} ${groupKey(group)}`;
}

/** Does one of its passes learn from examples, so that it takes long? */
export function learns(group: StepGroup): boolean {
  return passesIn(group).some(({ learningRuns }) => learningRuns !== undefined);
}

/**
 * What groups that learn made of a graph: the same for every target, and made once. Kept as long as the graph is; a
 * failure is kept too, because it would fail again.
 */
export class Learned<Made> {
  readonly #made = new WeakMap<Graph, Map<string, Promise<Made>>>();

  once(from: Graph, group: StepGroup, make: () => Promise<Made>): Promise<Made> {
    const groups = this.#made.get(from) ?? new Map<string, Promise<Made>>();
    this.#made.set(from, groups);
    const key = groupKey(group);
    const known = groups.get(key) ?? make();
    groups.set(key, known);
    return known;
  }
}
