import type { NodeSensitivity } from "@pare/runtime/format";
import type { StepGroup } from "../../pipeline/step.js";
import type { Made, Planned, State, Tried } from "../candidate.js";
import { freeName } from "../make/free-name.js";
import { sensitivityMs, type TargetFacts } from "../plan/costs.js";
import type { TargetDevice } from "../request.js";
import { type Layer, LayerErrors, type LayerSensitivity, mostSensitive } from "./sensitivity.js";
import { isRefusal } from "../refusal.js";
import { notTried, type Outcome, type TrialContext, tryCandidate } from "./trial.js";

/** A candidate of static int8 with none of its layers left float, that was fast and small enough. */
export interface WholeStatic {
  readonly planned: Planned;
  readonly layers: readonly Layer[];
  readonly drop: number;
  /** Next to the simplified float model; null where it was not timed. */
  readonly latency: number | null;
}

/**
 * So often in a row it may be hardly better with more layers left float: what the outputs tell is not what the metric sees, and
 * of a drop on few samples a tenth is taken for chance.
 */
const mostInVain = 2;
const hardlyBetter = 0.9;

/** What a few layers left float cost in time, and how sure that is: a standard deviation of its logarithm. */
const partly = { latency: 1.05, spread: 0.1, size: 1.1, accepted: 0.5 };

/** What can be made of an outcome by leaving some of its layers float; null where that is not the matter. */
export function wholeStatic(
  planned: Planned,
  made: Made,
  drop: number,
  latency: number | null,
): WholeStatic | null {
  const step = planned.group.steps.find(({ use }) => use === "quantize-static");
  // What was found with some of it left float is not begun again.
  if (step === undefined || planned.first || step.with?.["keepFloat"] !== undefined) return null;
  const layers = made.graph.journal
    .filter(({ what, rule }) => what === "changed" && rule === step.use)
    .map(({ node, op }) => ({ layer: node, op }));
  return layers.length < 2 ? null : { planned, layers, drop, latency };
}

function partlyName({ name }: Planned): string {
  return `${name}-partly`;
}

/** The same with its most sensitive layers left float, as something to try: finding them takes loads and runs. */
export function mixedPlan(
  { planned, layers, latency }: WholeStatic,
  quickest: TargetFacts,
): Planned {
  const { expected } = planned;
  return {
    ...planned,
    name: partlyName(planned),
    precision: "mixed",
    extraMs: sensitivityMs(layers.length, quickest),
    expected:
      expected === null
        ? null
        : {
            ...expected,
            latency: partly.latency * (latency ?? expected.latency),
            latencySpread: partly.spread,
            size: partly.size * expected.size,
            accepted: partly.accepted,
          },
  };
}

/**
 * The most sensitive layers stay float: one, two, four and so on, until it holds or the time is up.
 * @param quickest where to find out which those are
 */
export async function tryMixed(
  { planned, layers, drop }: WholeStatic,
  from: State,
  before: Tried,
  context: TrialContext,
  quickest: TargetDevice,
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
  const { examples, kept } = request;
  if (examples === undefined) return done();
  let tried = 0;
  const errors = new LayerErrors({
    from,
    keeping,
    layers,
    device: quickest,
    examples,
    services,
    kept,
  });
  const ranked = mostSensitive(layers, (some) => {
    tried += 1;
    say(`which of ${layers.length} layers is most sensitive, ${tried}`);
    return errors.of(some);
  });
  let least = drop;
  let inVain = 0;
  for (let kept = 1; kept < layers.length && !isLate(); kept *= 2) {
    try {
      while (found.length < kept && !isLate()) {
        const { done: isAll, value } = await ranked.next();
        if (isAll === true) return done();
        found.push(value);
      }
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const reason = `which layers are sensitive cannot be found out: ${error.message}`;
      outcomes.push([{ ...planned, name: partlyName(planned) }, notTried(reason)]);
      return done();
    }
    if (isLate()) break;
    // A lock of other layers may have brought the name.
    const name = freeName(`${planned.name}-${kept}-float`, new Set(context.made.values()));
    const nodes = found.map(({ layer }) => layer);
    const one: Planned = { ...planned, name, precision: "mixed", group: keeping(nodes) };
    const outcome = await tryCandidate(one, from, before, context);
    outcomes.push([one, outcome]);
    // What is too slow already is not made faster by leaving more of it float.
    if (outcome.accepted || outcome.far === "screened") break;
    const lost = outcome.measured?.accuracy?.drop ?? Infinity;
    inVain = lost < hardlyBetter * least ? 0 : inVain + 1;
    least = Math.min(least, lost);
    if (inVain === mostInVain) break;
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
