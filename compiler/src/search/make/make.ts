import {
  type Artifact,
  artifactIdentity,
  type Precision,
  type SessionOptions,
  type TargetName,
} from "@pare/runtime/format";
import type { Fingerprints } from "../../analysis/fingerprints.js";
import { NotedActivations } from "../../calibrate/recorded-activations.js";
import type { Graph } from "../../ir/index.js";
import { passes } from "../../passes/index.js";
import type { Activations } from "../../pipeline/activations.js";
import { applyGroup } from "../../pipeline/apply-step.js";
import type { Examples } from "../../pipeline/examples.js";
import type { PassContext } from "../../pipeline/pass.js";
import type { Recipe } from "../../pipeline/recipe.js";
import type { Kept } from "../../pipeline/services.js";
import { randomOf } from "../../pipeline/random.js";
import { findPass } from "../../pipeline/registry.js";
import type { StepGroup } from "../../pipeline/step.js";
import { findTarget } from "../../targets/index.js";
import { misreadPads } from "../../rules/pads-of-maxima.js";
import { loadableOn } from "../../targets/loadable.js";
import type { Sizes } from "../../targets/sizes.js";
import type { Made, State } from "../candidate.js";
import { coarser } from "./precision.js";
import { type Learned, learns } from "./learned.js";
import type { OptimizeRequest } from "../request.js";
import type { SharedFiles } from "./shared-files.js";

export interface MakeServices {
  /** Absent: there is no data. */
  readonly activations?: Activations | undefined;
  /** Absent: there is no data. */
  readonly examples?: Examples | undefined;
  /** Absent: there is no data, or it has no split to train on. */
  readonly training?: Examples | undefined;
  /** The float model as it was opened. */
  readonly teacher?: Graph | undefined;
  readonly fingerprints: Fingerprints;
  readonly learned: Learned<Changed>;
  readonly files: SharedFiles;
  /** See OptimizeRequest. */
  readonly kept?: Kept | undefined;
  readonly seed: number;
  /** See OptimizeRequest. */
  readonly sizes?: Sizes | undefined;
  /** Milliseconds; absent where nothing is timed, as in a replay. No pass sees it. */
  readonly now?: (() => number) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((fraction: number, what: string) => void) | undefined;
}

/** A recipe in the order in which it is done. */
export interface Ordered {
  /** Leads to the float model that all begins with. */
  readonly simplify: StepGroup | null;
  /** Each judged against what came before. */
  readonly own: readonly StepGroup[];
  /** Required groups of passes that end a file: every file ends with them, whatever was tried before. */
  readonly ending: readonly StepGroup[];
}

function isSimplify({ steps }: StepGroup): boolean {
  return steps.length === 1 && steps[0]?.use === "simplify";
}

function isEnding({ steps, required }: StepGroup): boolean {
  return required && steps.every(({ use }) => findPass(passes, use).endsFile);
}

export function ordered({ groups }: Recipe): Ordered {
  const rest = groups.filter((group) => !isEnding(group));
  return {
    simplify: rest.find(isSimplify) ?? null,
    own: rest.filter((group) => !isSimplify(group)),
    ending: groups.filter(isEnding),
  };
}

/** The model in its normal form and, where the recipe asks for it, simplified. */
export async function beginning(
  graph: Graph,
  simplify: StepGroup | null,
  services: MakeServices,
): Promise<State> {
  const group: StepGroup = {
    steps: [{ use: "normalize" }, ...(simplify?.steps ?? [])],
    required: false,
  };
  const applied = await applyGroup(graph, group, contextOf(services), passes, services.now);
  const groups = simplify === null ? [] : [simplify];
  return {
    graph: applied.graph,
    groups,
    precision: "float32",
    statistics: new Map(),
    // Bringing it to the normal form is no step of the recipe.
    shares: applied.shares.slice(1),
  };
}

/**
 * The model as its user has it, where a target's engine loads such files and computes what they say; else what the target makes of
 * it as it is.
 * @throws PareError UNSUPPORTED_OP
 */
export async function asGiven(
  { original, graph }: Pick<OptimizeRequest, "original" | "graph">,
  target: TargetName,
  services: MakeServices,
): Promise<Artifact> {
  const normal = async (): Promise<Graph> => (await beginning(graph, null, services)).graph;
  const loaded = findTarget(target);
  return misreadPads(graph).length > 0
    ? loaded.emit(await normal(), {}, services.sizes)
    : loadableOn(loaded, original, normal, services.sizes);
}

/** What a group makes of a state, and why it changes nothing where it does. */
export interface Changed {
  readonly state: State;
  readonly changed: boolean;
  readonly said: readonly string[];
}

/** Runs a group on a fork. The same group on the same state gives the same graph, whatever was made before. */
export async function change(
  from: State,
  group: StepGroup,
  precision: Precision,
  services: MakeServices,
): Promise<Changed> {
  const make = (): Promise<Changed> => changed(from, group, precision, services);
  return learns(group) ? services.learned.once(from.graph, group, make) : make();
}

async function changed(
  from: State,
  group: StepGroup,
  precision: Precision,
  services: MakeServices,
): Promise<Changed> {
  const { activations, fingerprints, now } = services;
  const noted =
    activations === undefined ? undefined : new NotedActivations(activations, fingerprints);
  const context = contextOf({ ...services, activations: noted });
  const applied = await applyGroup(from.graph, group, context, passes, now);
  return {
    state: {
      graph: applied.graph,
      groups: [...from.groups, group],
      precision: coarser(from.precision, precision),
      statistics: new Map([...from.statistics, ...(noted?.noted ?? [])]),
      shares: [...from.shares, ...applied.shares],
    },
    changed: applied.changed,
    said: applied.journal.map(({ op, reason }) => `${op}: ${reason}`),
  };
}

/** Ends a state as the recipe and the target want it, and writes it as a file. */
export async function finish(
  state: State,
  name: string,
  target: TargetName,
  session: SessionOptions,
  ending: readonly StepGroup[],
  services: MakeServices,
): Promise<Made> {
  let last = state;
  for (const group of ending) last = (await change(last, group, state.precision, services)).state;
  const artifact = await services.files.share(
    await findTarget(target).emit(last.graph, session, services.sizes),
  );
  return {
    ...state,
    written: last,
    name,
    artifact,
    identity: await artifactIdentity(artifact),
  };
}

function contextOf({
  activations,
  examples,
  training,
  teacher,
  kept,
  seed,
  signal,
  onProgress,
}: MakeServices): PassContext {
  return {
    random: (name) => randomOf(seed, name),
    ...(activations !== undefined && { activations }),
    ...(examples !== undefined && { examples }),
    ...(training !== undefined && { training }),
    ...(teacher !== undefined && { teacher }),
    ...(kept !== undefined && { kept }),
    ...(signal !== undefined && { signal }),
    ...(onProgress !== undefined && { onProgress }),
  };
}
