import {
  isPareError,
  type Measurement,
  messageOf,
  PareError,
  type Precision,
  type ReportCandidate,
  type ReportStep,
  sha256,
  throwIfAborted,
} from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { PassContext } from "../pipeline/pass.js";
import { findTarget } from "../targets/index.js";
import { accept, type AcceptanceRule, round } from "./accept.js";
import type { Branch, Stage } from "./branch.js";
import { applyStep, encode, type Judged, modelOf, type State } from "./candidate.js";
import { compareLatency, latencyOf } from "./choose.js";
import type { OptimizeRequest, TargetDevice } from "./request.js";

/** Candidates are compared on so many validation samples. */
const searchSamples = 200;

interface Written {
  readonly graph: Graph;
  readonly bytes: Uint8Array;
}

/** A stage that was turned down, as a file and as it was measured. */
export interface Refused {
  readonly branch: Branch;
  readonly stage: Stage;
  readonly graph: Graph;
  readonly measurement: Measurement;
}

/** Makes files for one device, measures them, and writes down each verdict. */
export class Trials {
  readonly steps: ReportStep[] = [];
  readonly candidates: ReportCandidate[] = [];
  /** What was measured and turned down. */
  readonly refused: Refused[] = [];
  readonly context: PassContext;
  readonly rule: AcceptanceRule;
  readonly #request: OptimizeRequest;
  readonly #device: TargetDevice;
  readonly #simplified: Graph;
  readonly #made = new Map<string, string>();

  constructor(request: OptimizeRequest, device: TargetDevice, simplified: Graph) {
    const { budget, evidence, calibration, signal } = request;
    this.#request = request;
    this.#device = device;
    this.#simplified = simplified;
    this.rule = { maxDrop: budget.maxDrop, prefer: budget.prefer, evidence };
    this.context = {
      ...(calibration === undefined ? {} : { calibration }),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  /** The model as its user has it; null where the engine refuses it. */
  async baseline(): Promise<Measurement | null> {
    try {
      return await this.#measure(this.#request.original, {}, false);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.reject(
        "original",
        "float32",
        `the engine refuses the model as it is: ${messageOf(error)}`,
      );
      return null;
    }
  }

  /**
   * The simplified float model: what is written when nothing else is accepted. Where the engine refuses it, or it is
   * slower than the model as it was, that model takes its place.
   */
  async float(baseline: Measurement | null): Promise<Judged> {
    const { original, graph: read } = this.#request;
    const before = { graph: read, bytes: original };
    const float = { name: "float", precision: "float32", session: {}, features: [] } as const;
    const after = await this.#write(this.#simplified.fork());
    const asRead = (measurement: Measurement): Judged => ({
      ...float,
      ...before,
      steps: [],
      measurement,
    });
    try {
      const measurement = await this.#measure(after.bytes, {}, baseline !== null);
      const slower = baseline !== null && compareLatency(measurement, baseline) === "slower";
      const verdict = slower ? "reverted" : "kept";
      this.#step("simplify", verdict, floatReason(measurement), before, after, measurement);
      if (slower) return asRead(baseline);
      return { ...float, ...after, steps: [{ use: "simplify" }], measurement };
    } catch (error) {
      if (!isRefusal(error) || baseline === null) throw refusal(this.#device, error);
      const reason = `the engine refuses it: ${messageOf(error)}`;
      this.#step("simplify", "reverted", reason, before, after, null);
      return asRead(baseline);
    }
  }

  /** Tries a branch's stages one after another; one that is turned down is reverted and the next tried without it. */
  async try(branch: Branch, float: Judged): Promise<Judged | null> {
    let current = float;
    for (const stage of branch.stages) {
      throwIfAborted(this.#request.signal);
      const state: State =
        current === float
          ? { graph: this.#simplified, steps: [{ use: "simplify" }], precision: "float32" }
          : current;
      current = (await this.#tryStage(branch, stage, state, current)) ?? current;
    }
    return current === float ? null : current;
  }

  reject(
    name: string,
    precision: Precision,
    reason: string,
    measurement: Measurement | null = null,
  ): void {
    const { target } = this.#device;
    this.candidates.push({ target, name, verdict: "rejected", reason, precision, measurement });
  }

  async #tryStage(
    branch: Branch,
    stage: Stage,
    state: State,
    current: Judged,
  ): Promise<Judged | null> {
    const name = `${branch.name}: ${stage.map(({ use }) => use).join(", ")}`;
    const { precision, session, features } = branch;
    const before = { graph: state.graph, bytes: current.bytes };
    const revert = (reason: string): null => {
      this.#step(name, "reverted", reason, before, before, null);
      this.reject(branch.name, precision, reason);
      return null;
    };
    try {
      let { graph } = state;
      let changed = false;
      for (const step of stage) {
        const applied = await applyStep(graph, step, this.context);
        ({ graph } = applied);
        changed ||= applied.changed;
      }
      if (!changed) return revert(nothingReason(graph, state.graph));
      const after = await this.#write(graph.fork());
      const twin = await this.#twinOf(after.bytes, branch.name);
      if (twin !== undefined) return revert(`it makes the same file as ${twin}`);
      const measurement = await this.#measure(after.bytes, session, true);
      const verdict = accept(measurement, current.measurement, precision, this.rule);
      const kept = verdict.accepted ? "kept" : "reverted";
      this.#step(name, kept, verdict.reason, before, after, measurement);
      if (verdict.accepted) {
        const steps = [...state.steps, ...stage];
        return { name: branch.name, ...after, steps, precision, session, features, measurement };
      }
      this.reject(branch.name, precision, verdict.reason, measurement);
      this.refused.push({ branch, stage, graph: after.graph, measurement });
      return null;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const who = error.code === "PASS_FAILED" ? "it failed" : "the engine refuses it";
      return revert(`${who}: ${error.message}`);
    }
  }

  /** The branch that made these very bytes before. */
  async #twinOf(bytes: Uint8Array, name: string): Promise<string | undefined> {
    const hash = await sha256(bytes);
    const twin = this.#made.get(hash);
    if (twin === undefined) this.#made.set(hash, name);
    return twin;
  }

  /** Ends a graph as the target wants it and writes it as a file. */
  async #write(graph: Graph): Promise<Written> {
    await findTarget(this.#device.target).lower(graph, this.context);
    return { graph, bytes: await encode(graph) };
  }

  /** On a software GPU its stand-in answers for the file while candidates are compared, and size decides. */
  async #measure(
    bytes: Uint8Array,
    session: Readonly<Record<string, unknown>>,
    against: boolean,
  ): Promise<Measurement> {
    const { target, standIn } = this.#device;
    const { measure, original, signal } = this.#request;
    return measure({
      model: modelOf(bytes),
      target: standIn ?? target,
      ...(against ? { baseline: modelOf(original) } : {}),
      split: "validation",
      limit: searchSamples,
      timed: standIn === null,
      session,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #step(
    name: string,
    verdict: "kept" | "reverted",
    reason: string,
    before: Written,
    after: Written,
    measurement: Measurement | null,
  ): void {
    this.steps.push({
      target: this.#device.target,
      name,
      verdict,
      reason,
      nodesBefore: countNodes(before.graph),
      nodesAfter: countNodes(after.graph),
      bytesBefore: before.bytes.byteLength,
      bytesAfter: after.bytes.byteLength,
      measurement,
    });
  }
}

/** The engine or a pass says no to this file; another one may do. */
function isRefusal(error: unknown): error is PareError {
  return (
    isPareError(error) &&
    ["ENGINE", "ENGINE_CRASHED", "PASS_FAILED", "UNSUPPORTED_OP"].includes(error.code)
  );
}

function refusal(device: TargetDevice, error: unknown): unknown {
  if (!isRefusal(error)) return error;
  return new PareError(
    "ENGINE",
    `${device.engine} can run neither the model nor its simplified form: ${error.message}`,
    {
      where: device.target,
      hint: "`pare inspect` says for each target which operators it lacks.",
      cause: error,
    },
  );
}

function floatReason(measurement: Measurement): string {
  const flips = measurement.accuracy?.flips ?? null;
  const equal = "equal within rounding";
  const agreement = flips === null ? equal : `${equal}: ${flips.count} of ${flips.n} flipped`;
  const ratio = latencyOf(measurement)?.ratio ?? null;
  return ratio === null ? agreement : `${agreement}; ${round(ratio)}× the latency before`;
}

/** Why a pass that applies to nothing left what it left. */
function nothingReason(graph: Graph, before: Graph): string {
  const said = graph.journal
    .slice(before.journal.length)
    .map(({ op, reason }) => `${op}: ${reason}`);
  const different = [...new Set(said)].slice(0, 3);
  const nothing = "it changes nothing in this model";
  return different.length === 0 ? nothing : `${nothing} (${different.join("; ")})`;
}

/** Nodes of all bodies, Constants among them. */
function countNodes(graph: Graph): number {
  let count = 0;
  for (const _ of graph.allNodes()) count += 1;
  return count;
}
