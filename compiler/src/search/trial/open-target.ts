import {
  type Artifact,
  artifactBytes,
  artifactIdentity,
  type LatencyComparison,
  messageOf,
  PareError,
  type TryOut,
} from "@pare/runtime/format";
import { workloadOf } from "../../analysis/workload.js";
import type { Graph } from "../../ir/index.js";
import { inFloat32 } from "../../passes/index.js";
import { floatName, type State, type Tried } from "../candidate.js";
import { screeningLimits, type TargetFacts } from "../plan/costs.js";
import { emulatedSampleMs } from "./emulated.js";
import { asGiven, finish, type MakeServices, type Ordered } from "../make/make.js";
import type { SearchRecord } from "../record/record.js";
import type { OptimizeRequest, TargetDevice } from "../request.js";
import type { TargetState } from "./target-state.js";
import { sampleCost } from "../plan/sample-cost.js";
import { findTarget, type Target } from "../../targets/index.js";
import type { Sizes } from "../../targets/sizes.js";
import { obstacleText, supportOf } from "../../targets/support.js";
import { isRefusal, toBeRun } from "../refusal.js";
import { orderOf, type Relative, round } from "../verdict/verdict.js";

/** For a form of the model whose other form, or on another engine, took all the time there was. */
export const leastTryMs = 1000;
/** Until an engine of its own runs: a worker in a browser fetches its module, one in Node is a process. */
const startMs = { cpu: 200, wasm: 300, webgpu: 1500, aot: 100, webnn: 1500 } as const;

/** What is needed to open a target. */
export interface Opening {
  readonly request: OptimizeRequest;
  readonly simplified: State;
  readonly recipe: Ordered;
  readonly services: MakeServices;
  readonly limitMs: number;
  readonly record: SearchRecord;
}

/**
 * Tries the model as it is and in its simplified form, and finds out what runs and samples cost.
 * @throws PareError UNSUPPORTED_OP with every reason where the target takes whole models alone, and not this one; ENGINE
 * where the engine runs neither form; INPUT where samples are none of the sizes that its files are of
 */
export async function openTarget(opening: Opening, device: TargetDevice): Promise<TargetState> {
  const { request, simplified, recipe, record, services } = opening;
  await demandTaken(findTarget(device.target), simplified.graph, request.sizes);
  const given = await attempt(() => asGiven(request, device.target, services));
  const original = typeof given === "string" ? request.original : given;
  const began = request.clock.now();
  const asItIs =
    typeof given === "string" ? given : await attempt(() => tryOut(opening, device, original));
  const answering = await attempt(async () => {
    const made = await finish(simplified, floatName, device.target, {}, recipe.ending, services);
    // A target that simplifies by itself makes the same of both.
    if (typeof asItIs !== "string" && made.identity === (await artifactIdentity(original)))
      return { ...made, artifact: original, tryOut: asItIs };
    const left = opening.limitMs - (request.clock.now() - began);
    // Of a model that is so slow that one run takes most of the time, this form is as slow.
    const taken = typeof asItIs === "string" ? 0 : asItIs.loadMs + asItIs.runMs;
    const limitMs = Math.max(leastTryMs, left, 2 * taken);
    return { ...made, tryOut: await tryOut({ ...opening, limitMs }, device, made.artifact) };
  });
  const runs = typeof asItIs === "string" ? answering : { artifact: original, tryOut: asItIs };
  if (typeof runs === "string") {
    const instead = device.standIn === null ? "" : `, tried as ${device.standIn} in its place,`;
    throw new PareError(
      "ENGINE",
      `${device.engine}${instead} can run neither the model nor its simplified form: ${bothText(asItIs, runs)}`,
      {
        where: device.target,
        hint: toBeRun,
      },
    );
  }
  const equal: Relative | null = device.standIn === null ? { ratio: 1, interval: [1, 1] } : null;
  // Each ran, and next to each other they may be too much for it.
  const timed =
    device.standIn !== null || typeof asItIs === "string" || typeof answering === "string"
      ? null
      : await attempt(() => compare(opening, device, original, answering));
  const compared = typeof timed === "string" ? null : timed;
  const isOne = typeof answering !== "string" && answering.artifact === original;
  const latency = compared === null || isOne ? equal : (compared.between[0]?.[1] ?? null);
  // The first runs of a WebAssembly engine are in its baseline tier: those that were timed tell more.
  const runMs = compared?.latencies[0]?.p50 ?? runs.tryOut.runMs;
  // Its first load starts it.
  const loads = [asItIs, typeof answering === "string" ? answering : answering.tryOut];
  const loadMs = Math.min(...loads.flatMap((one) => (typeof one === "string" ? [] : one.loadMs)));
  // Compressing takes a while and a core: beside what is not timed against anything.
  const [facts, before, after] = await Promise.all([
    findFacts(opening, device, runs.artifact, { loadMs, runMs }),
    asRead(request, device, original),
    typeof answering === "string"
      ? answering
      : request.measure
          .size(answering.artifact)
          .then((size): Tried => ({ ...answering, size, latency, accuracy: null })),
  ]);
  if (typeof asItIs === "string")
    record.turnDown(
      device.target,
      { name: "original", precision: "float32", expected: null },
      "not",
      `the engine refuses the model as it is: ${asItIs}`,
      null,
    );
  const isSlower = latency !== null && orderOf(latency) === "slower";
  const required = [recipe.simplify, ...recipe.ending].some((group) => group?.required);
  const stays = typeof after !== "string" && (typeof asItIs === "string" || !isSlower || required);
  const times = latency === null ? "" : `; ${round(latency.ratio, 3)}× the latency before`;
  const reason =
    typeof after === "string" ? `the engine refuses it: ${after}` : `equal within rounding${times}`;
  for (const group of [recipe.simplify, ...recipe.ending]) {
    if (group === null) continue;
    const name = group.name ?? group.steps.map(({ use }) => use).join(", ");
    const why = group.required ? `required; ${reason}` : reason;
    const made = typeof after === "string" ? null : after;
    const planned = { group, expected: null };
    record.step({
      target: device.target,
      name,
      kept: stays,
      reason: why,
      before,
      after: made,
      tried: "decided",
      planned,
    });
  }
  const float: Tried =
    stays && typeof after !== "string"
      ? after
      : { ...before, tryOut: typeof asItIs === "string" ? noTryOut : asItIs, latency: equal };
  return {
    device,
    facts,
    baseline:
      typeof asItIs === "string" ? null : { tryOut: asItIs, size: before.size, accuracy: null },
    reference: runs.artifact,
    floatAnswers: { artifact: runs.artifact, target: device.standIn ?? device.target },
    float,
    required: float,
    accepted: [],
    screened: [],
    recipe: float,
    made: new Map([[float.identity, floatName]]),
  };
}

async function demandTaken(target: Target, graph: Graph, sizes?: Sizes): Promise<void> {
  if (target.obstacles === undefined) return;
  const { obstacles } = await supportOf(graph, target, sizes);
  const [first] = obstacles;
  if (first === undefined) return;
  const isOfSizes = obstacles.every(({ option }) => option !== undefined);
  throw new PareError(
    "UNSUPPORTED_OP",
    `The model cannot be compiled for ${target.label}: ${obstacles.map(obstacleText).join("; ")}.`,
    {
      where: first.nodes[0],
      hint: `${isOfSizes ? "Fix these sizes, or leave" : "Leave"} that target out: the others run what their engine does.`,
    },
  );
}

const noTryOut: TryOut = { loadMs: 0, runMs: 0 };

/** Why neither form runs. */
function bothText(asItIs: TryOut | string, simplified: string): string {
  if (typeof asItIs !== "string" || asItIs === simplified) return simplified;
  return `${asItIs.replace(/\.?$/, "")}; simplified: ${simplified}`;
}

/** What came of it, or why the engine refuses. */
async function attempt<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return messageOf(error);
  }
}

function tryOut(
  { request, limitMs }: Opening,
  device: TargetDevice,
  artifact: Artifact,
): Promise<TryOut> {
  const target = device.standIn ?? device.target;
  return request.measure.tryOut({ artifact, target, signal: request.signal, limitMs });
}

async function asRead(
  { graph, measure }: OptimizeRequest,
  device: TargetDevice,
  original: Artifact,
): Promise<Omit<Tried, "tryOut">> {
  const state: State = {
    graph,
    groups: [],
    precision: "float32",
    statistics: new Map(),
    shares: [],
  };
  return {
    ...state,
    written: state,
    name: floatName,
    artifact: original,
    identity: await artifactIdentity(original),
    size: await measure.size(original),
    latency: device.standIn === null ? { ratio: 1, interval: [1, 1] } : null,
    accuracy: null,
  };
}

function compare(
  { request, limitMs }: Opening,
  device: TargetDevice,
  original: Artifact,
  { artifact, tryOut: { runMs } }: Pick<Tried, "artifact" | "tryOut">,
): Promise<LatencyComparison> {
  return request.measure.latency({
    artifacts: artifact === original ? [original] : [original, artifact],
    target: device.target,
    limits: screeningLimits(runMs),
    seed: 0,
    screening: true,
    signal: request.signal,
    limitMs,
  });
}

async function findFacts(
  opening: Opening,
  device: TargetDevice,
  reference: Artifact,
  { loadMs, runMs }: TryOut,
): Promise<TargetFacts> {
  const { request, simplified, limitMs } = opening;
  const paritySampleMs =
    device.standIn === null ? runMs : await emulatedSampleMs(request, device, reference, runMs);
  const { measure, evidence } = request;
  const isTimed = device.standIn === null;
  const { sampleMs, asked } = await sampleCost(request, device, reference, runMs, limitMs);
  const { maxDrop } = request.budget.limits(device.target);
  const { full, pointwise, depthwise, matmul } = workloadOf(await inFloat32(simplified.graph));
  return {
    target: device.target,
    loadMs,
    runMs,
    sampleMs,
    shared: 1,
    answerMs: sampleMs,
    timed: isTimed,
    saturates: device.saturates,
    bytes: artifactBytes(reference),
    layers: full + pointwise + depthwise + matmul,
    startMs: startMs[device.target],
    decidesEarly: measure.isMean,
    asked,
    tellingSamples: measure.isMean && maxDrop > 0 ? Math.ceil(1 / maxDrop) : 0,
    validation: evidence === "none" ? 0 : measure.samples("validation"),
    test: evidence === "none" ? 0 : measure.samples("test"),
    paritySampleMs,
  };
}
