import { workloadOf } from "../analysis/workload.js";
import { inFloat32 } from "../passes/index.js";
import type { StepGroup } from "../pipeline/step.js";
import { expectedGain, operatorMix } from "../targets/gains.js";
import { findTarget } from "../targets/index.js";
import type { Planned, State } from "./candidate.js";
import type { Lock } from "./lock.js";
import type { Ordered } from "./make.js";
import { passesIn, precisionOf } from "./precision.js";
import type { OptimizeRequest, TargetDevice } from "./request.js";

export interface Choices {
  readonly planned: readonly Planned[];
  /** What is not tried at all, and why. */
  readonly left: readonly { readonly planned: Planned; readonly reason: string }[];
}

/** What a recipe asks for on a target, and with `propose` what the target's table adds. */
export function choicesFor(
  request: OptimizeRequest,
  device: TargetDevice,
  recipe: Ordered,
  simplified: State,
): Choices {
  const { budget, evidence, activations } = request;
  const common = {
    target: device.target,
    session: {},
    prefer: budget.prefer,
    learningRuns: 0,
    extraMs: 0,
  };
  const own = recipe.own.map((group, index): Planned => ({
    ...common,
    name: nameOf(request.recipe.name, recipe.own.length, index),
    group,
    precision: precisionOf([group]),
    first: true,
    needsData: needsData(group),
    learningRuns: learningRuns(group, request),
    asBefore: false,
    expected: null,
  }));
  if (!request.recipe.propose) return { planned: own, left: [] };
  const graph = inFloat32(simplified.graph);
  const mix = operatorMix(workloadOf(graph));
  const before = chosenBefore(request.like, device, recipe);
  const planned = [...own];
  const left: { planned: Planned; reason: string }[] = [];
  for (const proposal of findTarget(device.target).propose(graph)) {
    const { name, precision, group, withoutData } = proposal;
    const expected = expectedGain(device.target, name, mix, device.saturates) ?? null;
    const asBefore = before !== null && sameSteps(before.group, group);
    const one: Planned = {
      ...common,
      name,
      precision,
      group,
      first: false,
      needsData: needsData(group),
      asBefore,
      expected,
    };
    const reason =
      evidence === "none" && !withoutData
        ? "needs data to be checked"
        : one.needsData && activations === undefined
          ? "needs data to calibrate with"
          : null;
    if (reason === null) planned.push(one);
    else left.push({ planned: one, reason });
  }
  if (before !== null && !planned.some(({ asBefore }) => asBefore))
    planned.push({
      ...common,
      ...before,
      first: false,
      needsData: needsData(before.group),
      asBefore: true,
      expected: null,
    });
  return { planned, left };
}

/** What a lock chose for a target, in one group; null where that was the float model, or nothing. */
function chosenBefore(
  like: Lock | undefined,
  { target }: TargetDevice,
  { simplify, own, ending }: Ordered,
): Pick<Planned, "name" | "precision" | "group"> | null {
  const locked = like?.targets.find((one) => one.target === target);
  if (locked === undefined || locked.precision === "float32") return null;
  const known = [simplify, ...own, ...ending].flatMap((group) => group ?? []);
  const groups = locked.groups.filter((group) => !known.some((one) => sameSteps(one, group)));
  if (groups.length === 0) return null;
  const steps = groups.flatMap((group) => group.steps);
  return {
    name: locked.candidate,
    precision: locked.precision,
    group: { steps, required: false },
  };
}

function sameSteps(a: StepGroup, b: StepGroup): boolean {
  return JSON.stringify(a.steps) === JSON.stringify(b.steps);
}

/** The recipe's name, with a number where it has several groups; it names files and variants. */
function nameOf(recipe: string, groups: number, index: number): string {
  const plain = recipe.replaceAll(/[^\w.-]+/g, "-").replace(/^[.-]+/, "") || "recipe";
  return groups === 1 ? plain : `${plain}-${index + 1}`;
}

function learningRuns(
  group: StepGroup,
  { training, examples }: Pick<OptimizeRequest, "training" | "examples">,
): number {
  const count = (training ?? examples)?.count ?? 0;
  return passesIn(group).reduce((sum, pass) => sum + (pass.learningRuns?.(count) ?? 0), 0);
}

function needsData(group: StepGroup): boolean {
  return passesIn(group).some(({ needs }) => needs !== undefined);
}
