import type { NodeSensitivity } from "@pare/runtime/format";
import type { StepGroup } from "../pipeline/step.js";
import type { Made, Planned, State, Tried } from "./candidate.js";
import { sensitivityMs, type TargetFacts } from "./costs.js";
import { type Layer, layerErrors, type LayerSensitivity, mostSensitive } from "./sensitivity.js";
import { type Outcome, type TrialContext, tryCandidate } from "./trial.js";

/** A candidate of static int8 that was fast and small enough, and lost too much. */
export interface TooCoarse {
  readonly planned: Planned;
  readonly layers: readonly Layer[];
  readonly drop: number;
}

/** What can be made of an outcome by leaving some of its layers float; null where that is not the matter. */
export function tooCoarse(planned: Planned, made: Made, drop: number): TooCoarse | null {
  const step = planned.group.steps.find(({ use }) => use === "quantize-static");
  // What was found with some of it left float is not begun again.
  if (step === undefined || planned.first || step.with?.["keepFloat"] !== undefined) return null;
  const layers = made.graph.journal
    .filter(({ what, rule }) => what === "changed" && rule === step.use)
    .map(({ node, op }) => ({ layer: node, op }));
  return layers.length < 2 ? null : { planned, layers, drop };
}

/** The same with its most sensitive layers left float, as something to try: finding them takes loads and runs. */
export function mixedPlan({ planned, layers }: TooCoarse, facts: TargetFacts): Planned {
  const { expected } = planned;
  return {
    ...planned,
    name: `${planned.name}-partly`,
    precision: "mixed",
    extraMs: sensitivityMs(layers.length, facts),
    expected:
      expected === null
        ? null
        : {
            ...expected,
            latency: Math.min(1, expected.latency * 1.1),
            size: expected.size * 1.1,
            accepted: 0.5,
          },
  };
}

/** The most sensitive layers stay float: one, two, four and so on, until it holds or the time is up. */
export async function tryMixed(
  { planned, layers }: TooCoarse,
  from: State,
  before: Tried,
  context: TrialContext,
  isLate: () => boolean,
): Promise<{
  readonly outcomes: readonly [Planned, Outcome][];
  readonly sensitivity: readonly NodeSensitivity[];
}> {
  const { request, device, services, say } = context;
  const keeping = (nodes: readonly string[]): StepGroup => keepingFloat(planned.group, nodes);
  const outcomes: [Planned, Outcome][] = [];
  const found: LayerSensitivity[] = [];
  const done = (): Awaited<ReturnType<typeof tryMixed>> => ({
    outcomes,
    sensitivity: found.map(({ layer, op, error }) => ({
      target: device.target,
      node: layer,
      op,
      sqnrDb: -10 * Math.log10(Math.max(error, 1e-12)),
    })),
  });
  if (request.examples === undefined) return done();
  let tried = 0;
  const errorOf = await layerErrors(from, keeping, layers, device, request.examples, services);
  const ranked = mostSensitive(layers, (some) => {
    tried += 1;
    say(`which of ${layers.length} layers is most sensitive, ${tried}`);
    return errorOf(some);
  });
  for (let kept = 1; kept < layers.length && !isLate(); kept *= 2) {
    while (found.length < kept && !isLate()) {
      const { done: isAll, value } = await ranked.next();
      if (isAll === true) return done();
      found.push(value);
    }
    if (isLate()) break;
    const name = `${planned.name}-${kept}-float`;
    const nodes = found.map(({ layer }) => layer);
    const one: Planned = { ...planned, name, precision: "mixed", group: keeping(nodes) };
    const outcome = await tryCandidate(one, from, before, context);
    outcomes.push([one, outcome]);
    if (outcome.accepted) break;
  }
  return done();
}

/** The group with some nodes left float, by name. */
export function keepingFloat(group: StepGroup, nodes: readonly string[]): StepGroup {
  return {
    ...group,
    steps: group.steps.map((step) =>
      step.use === "quantize-static"
        ? { ...step, with: { ...step.with, keepFloat: { nodes } } }
        : step,
    ),
  };
}
