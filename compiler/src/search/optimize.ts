import {
  type Measurement,
  type NodeSensitivity,
  type NodeWhy,
  PareError,
  type ReportCandidate,
  type ReportStep,
  sha256,
  throwIfAborted,
} from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { PassContext } from "../passes/pass.js";
import { findTarget } from "../targets/index.js";
import { checkAccuracy, round } from "./accept.js";
import { applyStep, encode, type Judged, modelOf } from "./candidate.js";
import { latencyOf } from "./choose.js";
import { checkLock, type Lock, type LockedTarget, lockVersion } from "./lock.js";
import type { Optimized, OptimizedVariant, OptimizeRequest, TargetDevice } from "./request.js";
import { searchTarget, type TargetSearch } from "./search-target.js";
import { explain } from "./why.js";

/**
 * The main job: for each device, the smallest or fastest file that keeps the accuracy budget, by the contract's rule
 * of choice. The float model is simplified once; every step is tried on a fork, measured, and kept or reverted.
 * @throws PareError ABORTED, LOCK, ENGINE where an engine can run neither the model nor its simplified form
 */
export async function optimize(request: OptimizeRequest): Promise<Optimized> {
  const { devices, budget, frozen, signal } = request;
  if (frozen !== undefined)
    checkLock(frozen, {
      modelSha256: request.originalSha256,
      splits: request.splits,
      shapes: request.shapes,
      constants: request.constants,
    });
  const started = Date.now();
  const result = new Result(request);
  request.onProgress?.(0, "simplifying");
  const simplified = await simplify(request);
  for (const [index, device] of devices.entries()) {
    throwIfAborted(signal);
    const share = (fraction: number, what: string): void =>
      request.onProgress?.((index + fraction) / devices.length, what);
    const left = Math.max(0, started + budget.timeBudgetMs - Date.now());
    const deadline = Date.now() + left / (devices.length - index);
    try {
      const search =
        frozen === undefined
          ? await searchTarget(request, device, simplified, deadline, (fraction, what) =>
              share(fraction * 0.8, what),
            )
          : await replay(request, device, simplified, frozen);
      result.steps.push(...search.steps);
      result.sensitivity.push(
        ...search.sensitivity.map(({ layer, op, error }) => ({
          target: device.target,
          node: layer,
          op,
          sqnrDb: -10 * Math.log10(Math.max(error, 1e-12)),
        })),
      );
      share(0.8, `${device.target}: the test samples`);
      await result.choose(device, search);
    } catch (error) {
      if (
        !(error instanceof PareError) ||
        (error.code !== "ENGINE" && error.code !== "ENGINE_CRASHED") ||
        devices.length === 1
      )
        throw error;
      result.skipped.push({ target: device.target, reason: error.message });
    }
    await request.onTarget?.(result.done());
  }
  if (result.variants.length === 0)
    throw new PareError(
      "ENGINE",
      `No target could run the model: ${result.skipped.map(({ target, reason }) => `${target}: ${reason}`).join("; ")}`,
    );
  request.onProgress?.(1, "done");
  return result.done();
}

async function simplify(request: OptimizeRequest): Promise<Graph> {
  const { signal } = request;
  const context: PassContext = signal === undefined ? {} : { signal };
  const normalized = await applyStep(request.graph, { use: "normalize" }, context);
  const step = request.recipe.steps.find(({ use }) => use === "simplify");
  return step === undefined
    ? normalized.graph
    : (await applyStep(normalized.graph, step, context)).graph;
}

/** A locked decision made again: the same steps on the same model, nothing timed, nothing compared. */
async function replay(
  request: OptimizeRequest,
  device: TargetDevice,
  simplified: Graph,
  lock: Lock,
): Promise<TargetSearch> {
  const locked = lock.targets.find(({ target }) => target === device.target);
  if (locked === undefined)
    throw new PareError("LOCK", `The lock file has no decision for ${device.target}.`, {
      hint: "Leave that target out, or run without --frozen.",
    });
  const { calibration, signal } = request;
  const context: PassContext = {
    ...(calibration === undefined ? {} : { calibration }),
    ...(signal === undefined ? {} : { signal }),
  };
  let graph = simplified;
  for (const step of locked.steps)
    if (step.use !== "simplify") graph = (await applyStep(graph, step, context)).graph;
  if (graph === simplified) graph = simplified.fork();
  await findTarget(device.target).lower(graph, context);
  const bytes = locked.steps.length === 0 ? request.original : await encode(graph);
  const measurement: Measurement = {
    target: device.target,
    engine: device.engine,
    sizeBytes: { raw: bytes.byteLength, gzip: 0, brotli: 0 },
    accuracy: null,
    parity: null,
    latencyMs: locked.latencyMs,
    memoryBytes: null,
    startupMs: null,
  };
  const { candidate: name, precision, session, features } = locked;
  return {
    ranked: [
      { name, precision, session, features, graph, bytes, steps: locked.steps, measurement },
    ],
    baseline: { ...measurement, latencyMs: locked.baselineLatencyMs },
    sensitivity: [],
    steps: [],
    candidates: [],
  };
}

class Result {
  readonly variants: OptimizedVariant[] = [];
  readonly steps: ReportStep[] = [];
  readonly candidates: ReportCandidate[] = [];
  readonly why: NodeWhy[] = [];
  readonly sensitivity: NodeSensitivity[] = [];
  readonly skipped: Optimized["skipped"][number][] = [];
  readonly missed: string[] = [];
  readonly #locked: LockedTarget[] = [];
  readonly #request: OptimizeRequest;

  constructor(request: OptimizeRequest) {
    this.#request = request;
  }

  /** Takes the best candidate that also holds on the test samples; they are looked at once per candidate. */
  async choose(device: TargetDevice, search: TargetSearch): Promise<void> {
    const { budget, evidence } = this.#request;
    const verdicts = new Map<string, string>();
    const baseline =
      search.baseline === null
        ? null
        : await this.#test(device, this.#request.original, {}, search.baseline, false);
    const within = search.ranked.filter((one) => this.#overBudget(one) === null);
    const ordered = [...within, ...search.ranked.filter((one) => !within.includes(one))];
    for (const candidate of ordered) {
      const measurement = await this.#test(
        device,
        candidate.bytes,
        candidate.session,
        candidate.measurement,
        baseline !== null,
      );
      const verdict = checkAccuracy(measurement, {
        maxDrop: budget.maxDrop,
        prefer: budget.prefer,
        evidence,
      });
      const last = candidate === ordered.at(-1);
      if (!verdict.accepted && !last && candidate.precision !== "float32") {
        verdicts.set(
          candidate.name,
          `best in the search, but on the test samples: ${verdict.reason}`,
        );
        continue;
      }
      await this.#take(device, candidate, measurement, baseline);
      verdicts.set(candidate.name, `on the test samples: ${verdict.reason}`);
      const over = this.#overBudget(candidate);
      if (over !== null) this.missed.push(`${device.target}: ${over}`);
      this.why.push(...explain(device.target, candidate, search.steps));
      this.#record(search, candidate, measurement, verdicts);
      return;
    }
  }

  done(): Optimized {
    const request = this.#request;
    const lock: Lock = {
      lockVersion,
      compiler: request.compiler,
      model: { sha256: request.originalSha256 },
      recipe: request.recipe.name,
      seed: request.seed,
      maxDrop: request.budget.maxDrop,
      shapes: request.shapes,
      constants: request.constants,
      splits: request.splits,
      targets: [...this.#locked],
    };
    return {
      variants: [...this.variants],
      steps: [...this.steps],
      candidates: [...this.candidates],
      why: [...this.why],
      sensitivity: [...this.sensitivity],
      skipped: [...this.skipped],
      missed: [...this.missed],
      lock,
    };
  }

  async #take(
    device: TargetDevice,
    candidate: Judged,
    measurement: Measurement,
    baseline: Measurement | null,
  ): Promise<void> {
    const { name, precision, bytes, graph, steps, session, features } = candidate;
    const { evidence } = this.#request;
    const hash = await sha256(bytes);
    this.variants.push({
      target: device.target,
      name,
      precision,
      evidence,
      bytes,
      sha256: hash,
      graph,
      steps,
      session,
      features,
      measurement,
      baseline,
    });
    this.#locked.push({
      target: device.target,
      engine: device.engine,
      candidate: name,
      precision,
      steps,
      session,
      features,
      sha256: hash,
      latencyMs: measurement.latencyMs,
      baselineLatencyMs: baseline?.latencyMs ?? {
        unmeasured: "the engine refuses the model as it is",
      },
    });
  }

  /** Accuracy on the test samples, with the latency, memory and start-up that the search measured. */
  async #test(
    device: TargetDevice,
    bytes: Uint8Array,
    session: Readonly<Record<string, unknown>>,
    searched: Measurement,
    against: boolean,
  ): Promise<Measurement> {
    const { measure, original, signal, evidence } = this.#request;
    const isOriginal = bytes === original;
    const tested = await measure({
      model: modelOf(bytes),
      target: isOriginal && device.standIn !== null ? device.standIn : device.target,
      ...(against ? { baseline: modelOf(original) } : {}),
      split: "test",
      ...(evidence === "none" ? { limit: 16 } : {}),
      timed: false,
      session,
      ...(signal === undefined ? {} : { signal }),
    });
    const { latencyMs, memoryBytes, startupMs } = searched;
    const untimed = device.standIn !== null ? tested.latencyMs : latencyMs;
    return {
      ...tested,
      target: device.target,
      engine: device.engine,
      latencyMs: untimed,
      memoryBytes: memoryBytes ?? tested.memoryBytes,
      startupMs: startupMs ?? tested.startupMs,
    };
  }

  #overBudget(candidate: Judged): string | null {
    const { maxSizeBytes, maxLatencyMs } = this.#request.budget;
    const { sizeBytes } = candidate.measurement;
    const latency = latencyOf(candidate.measurement);
    if (maxSizeBytes !== undefined && sizeBytes.raw > maxSizeBytes)
      return `the best file has ${sizeBytes.raw} bytes, over --max-size ${maxSizeBytes}`;
    if (maxLatencyMs !== undefined && latency !== null && latency.p50 > maxLatencyMs)
      return `the best latency is ${round(latency.p50)} ms, over --max-latency ${maxLatencyMs}`;
    return null;
  }

  #record(
    search: TargetSearch,
    chosen: Judged,
    tested: Measurement,
    verdicts: ReadonlyMap<string, string>,
  ): void {
    for (const candidate of search.ranked) {
      const isChosen = candidate === chosen;
      const reason =
        verdicts.get(candidate.name) ??
        `accepted, but ${chosen.name} is better by the rule of choice`;
      this.candidates.push({
        target: tested.target,
        name: candidate.name,
        verdict: isChosen ? "chosen" : "rejected",
        reason,
        precision: candidate.precision,
        measurement: isChosen ? tested : candidate.measurement,
      });
    }
    this.candidates.push(...search.candidates);
  }
}
