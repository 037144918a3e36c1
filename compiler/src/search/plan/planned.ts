import { arithmeticOf } from "@pare/runtime/format";
import { workloadOf } from "../../analysis/workload.js";
import { holdsType, inFloat32 } from "../../passes/index.js";
import type { StepGroup } from "../../pipeline/step.js";
import { expectedGain, operatorMix } from "../../targets/gains.js";
import { findTarget } from "../../targets/index.js";
import { fp32 } from "../../targets/proposals.js";
import { floatName, type Planned, type State } from "../candidate.js";
import { freeName } from "../make/free-name.js";
import type { Lock } from "../lock.js";
import type { Ordered } from "../make/make.js";
import { passesIn, precisionOf } from "../make/precision.js";
import type { OptimizeRequest, TargetDevice } from "../request.js";

export interface Choices {
  readonly planned: readonly Planned[];
  /** What is not tried at all, and why. */
  readonly left: readonly { readonly planned: Planned; readonly reason: string }[];
}

/** What a recipe asks for on a target, and with `propose` what the target's table adds. */
export async function choicesFor(
  request: OptimizeRequest,
  device: TargetDevice,
  recipe: Ordered,
  simplified: State,
): Promise<Choices> {
  const { budget, evidence, activations } = request;
  const examples = (request.training ?? request.examples)?.count ?? 0;
  const common = {
    target: device.target,
    session: {},
    prefer: budget.prefer,
    learningRuns: 0,
    extraMs: 0,
  };
  // A recipe's file may be called as anything is, and candidates are told apart by their names.
  const taken = new Set([floatName]);
  const named = (name: string): string => {
    const free = freeName(name, taken);
    taken.add(free);
    return free;
  };
  const own = recipe.own.map((group, index): Planned => ({
    ...common,
    name: named(nameOf(request.recipe.name, recipe.own.length, index)),
    group,
    precision: precisionOf([group]),
    first: true,
    ...dataFor(group),
    learningRuns: learningRuns(group, examples),
    asBefore: false,
    expected: null,
  }));
  if (!request.recipe.propose) return { planned: own, left: [] };
  const graph = await inFloat32(simplified.graph);
  const mix = operatorMix(workloadOf(graph));
  const before = chosenBefore(request.like, device, recipe);
  const planned = [...own];
  const left: { planned: Planned; reason: string }[] = [];
  const target = findTarget(device.target);
  // A module computes in float32 whatever the model does.
  const isWide = target.format === "onnx" && holdsType(simplified.graph, "float64");
  const add = (one: Planned, withoutData: boolean): void => {
    if (evidence === "none" && !withoutData)
      left.push({ planned: one, reason: "needs data to be checked" });
    else if (one.needsData && activations === undefined)
      left.push({ planned: one, reason: "needs data to calibrate with" });
    else planned.push(one);
  };
  for (const proposal of [...(isWide ? [fp32] : []), ...target.propose(graph)]) {
    const { name, precision, group, withoutData } = proposal;
    const expected = expectedGain(device.target, name, mix, device.saturates) ?? null;
    const asBefore = before !== null && sameSteps(before.group, group);
    const one: Planned = {
      ...common,
      name: named(name),
      precision,
      group,
      first: false,
      ...dataFor(group),
      asBefore,
      expected,
    };
    add(one, withoutData);
  }
  const all = [...planned, ...left.map((one) => one.planned)];
  if (before !== null && !all.some(({ asBefore }) => asBefore)) {
    const one: Planned = {
      ...common,
      ...before,
      name: named(before.name),
      first: false,
      ...dataFor(before.group),
      learningRuns: learningRuns(before.group, examples),
      asBefore: true,
      expected: null,
    };
    // Of weights alone nothing has to be known of what they are multiplied with.
    add(one, arithmeticOf[before.precision] === "float32");
  }
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

/** About how many runs of the model as it is: what cuts it makes those after it shorter. */
export function learningRuns(group: StepGroup, examples: number): number {
  let [runs, share] = [0, 1];
  for (const pass of passesIn(group)) {
    runs += share * (pass.learningRuns?.(examples) ?? 0);
    share *= pass.runShare ?? 1;
  }
  return runs;
}

function dataFor(group: StepGroup): Pick<Planned, "needsData" | "calibrates"> {
  const steps = passesIn(group);
  const needsData = steps.some(({ needs }) => needs !== undefined);
  return {
    needsData,
    calibrates: needsData || steps.some(({ looksAt }) => looksAt !== undefined),
  };
}
