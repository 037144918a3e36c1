import {
  type Measurement,
  type NodeSensitivity,
  type NodeWhy,
  type ReportCandidate,
  type ReportStep,
  sha256,
} from "@pare/runtime/format";
import { checkAccuracy, round } from "./accept.js";
import { type Judged, modelOf } from "./candidate.js";
import { latencyOf } from "./choose.js";
import { type Lock, type LockedTarget, lockVersion } from "./lock.js";
import type { Optimized, OptimizedVariant, OptimizeRequest, TargetDevice } from "./request.js";
import type { TargetSearch } from "./search-target.js";
import { explain } from "./why.js";

/** What was decided so far, target by target. */
export class Decisions {
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
