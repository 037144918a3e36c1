import {
  isPareError,
  type Measurement,
  messageOf,
  PareError,
  type Precision,
  type ReportCandidate,
  type ReportStep,
  throwIfAborted,
} from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { PassContext } from "../passes/pass.js";
import type { Step } from "../recipes/recipe.js";
import { findTarget } from "../targets/index.js";
import type { Proposal } from "../targets/target.js";
import { accept, type Acceptance, type AcceptanceRule, round } from "./accept.js";
import { applyStep, encode, type Judged, modelOf, type State } from "./candidate.js";
import { compareLatency, latencyOf, rank } from "./choose.js";
import type { OptimizeRequest, TargetDevice } from "./request.js";
import { type Layer, layerSensitivity, type LayerSensitivity } from "./sensitivity.js";

/** Candidates are compared on so many validation samples. */
export const searchSamples = 200;

export interface TargetSearch {
  /** Accepted, best first; the simplified float model is among them or behind them. */
  readonly ranked: readonly Judged[];
  /** The model as its user has it, on this target; null where its engine refuses it. */
  readonly baseline: Measurement | null;
  /** Most sensitive layer first, where it was needed. */
  readonly sensitivity: readonly LayerSensitivity[];
  readonly steps: ReportStep[];
  readonly candidates: ReportCandidate[];
}

/** Tries a recipe's steps, and with `propose` what the target's table adds, each on a fork. */
export async function searchTarget(
  request: OptimizeRequest,
  device: TargetDevice,
  simplified: Graph,
  deadline: number,
  progress: (fraction: number, what: string) => void,
): Promise<TargetSearch> {
  const search = new Search(request, device, simplified);
  return search.run(deadline, progress);
}

/** Steps that are measured as one. */
type Stage = readonly Step[];

/** One way to a file: a recipe's steps each by itself, or a target's proposal as a whole. */
interface Branch {
  readonly name: string;
  readonly precision: Precision;
  readonly stages: readonly Stage[];
  readonly session: Readonly<Record<string, unknown>>;
  readonly features: readonly string[];
  readonly skip: string | null;
  /** From a target's table: mixed precision may be tried with it. */
  readonly proposed: boolean;
}

interface Written {
  readonly graph: Graph;
  readonly bytes: Uint8Array;
}

class Search implements TargetSearch {
  ranked: readonly Judged[] = [];
  sensitivity: readonly LayerSensitivity[] = [];
  baseline: Measurement | null = null;
  readonly steps: ReportStep[] = [];
  readonly candidates: ReportCandidate[] = [];
  readonly #request: OptimizeRequest;
  readonly #device: TargetDevice;
  readonly #simplified: Graph;
  readonly #rule: AcceptanceRule;
  readonly #tooCoarse: {
    branch: Branch;
    step: Step;
    layers: readonly Layer[];
    measurement: Measurement;
  }[] = [];

  constructor(request: OptimizeRequest, device: TargetDevice, simplified: Graph) {
    this.#request = request;
    this.#device = device;
    this.#simplified = simplified;
    this.#rule = {
      maxDrop: request.budget.maxDrop,
      prefer: request.budget.prefer,
      evidence: request.evidence,
    };
  }

  async run(
    deadline: number,
    progress: (fraction: number, what: string) => void,
  ): Promise<TargetSearch> {
    const { target } = this.#device;
    progress(0, `${target}: the float model`);
    this.baseline = await this.#measureBaseline();
    const float = await this.#float();
    const accepted: Judged[] = [];
    const branches = this.#branches();
    for (const [index, branch] of branches.entries()) {
      progress((index + 1) / (branches.length + 1), `${target}: ${branch.name}`);
      if (branch.skip !== null) {
        this.#reject(branch.name, branch.precision, branch.skip, null);
        continue;
      }
      if (Date.now() > deadline) {
        this.#reject(branch.name, branch.precision, "not tried: the time budget was spent", null);
        continue;
      }
      const judged = await this.#try(branch, float);
      if (judged !== null) accepted.push(judged);
    }
    const mixed = await this.#mixed(float, deadline, progress);
    if (mixed !== null) accepted.push(mixed);
    this.ranked = [...rank([float, ...accepted], this.#rule.prefer)];
    return this;
  }

  /**
   * Static int8 that was fast enough but not accurate enough is tried again with its most sensitive layers float: one,
   * two, four and so on, until it holds.
   */
  async #mixed(
    float: Judged,
    deadline: number,
    progress: (fraction: number, what: string) => void,
  ): Promise<Judged | null> {
    const tooCoarse = this.#tooCoarse.sort(
      (a, b) => (drop(a.measurement) ?? Infinity) - (drop(b.measurement) ?? Infinity),
    )[0];
    if (tooCoarse === undefined || Date.now() > deadline) return null;
    const { branch, step, layers } = tooCoarse;
    const { target, executor } = this.#device;
    this.sensitivity = await layerSensitivity(
      this.#simplified,
      step,
      layers,
      executor,
      this.#context(),
      (done) => progress(done / layers.length, `${target}: sensitivity of ${layers.length} layers`),
    );
    for (let kept = 1; kept < layers.length; kept *= 2) {
      if (Date.now() > deadline) return null;
      const keepFloat = this.sensitivity.slice(0, kept).map(({ layer }) => layer);
      const name = `${branch.name}-${kept}-float`;
      progress(1, `${target}: ${name}`);
      const mixed = { ...step, with: { ...step.with, keepFloat } };
      const stages = branch.stages.map((stage) => stage.map((one) => (one === step ? mixed : one)));
      const judged = await this.#try(
        { ...branch, name, precision: "mixed", proposed: false, stages },
        float,
      );
      if (judged !== null) return judged;
    }
    return null;
  }

  async #measureBaseline(): Promise<Measurement | null> {
    try {
      return await this.#measure(this.#request.original, {}, false);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#reject(
        "original",
        "float32",
        `the engine refuses the model as it is: ${messageOf(error)}`,
        null,
      );
      return null;
    }
  }

  /** The simplified float model: what is written when nothing else is accepted. */
  async #float(): Promise<Judged> {
    const { original, graph: read } = this.#request;
    const before = { graph: read, bytes: original };
    const graph = this.#simplified.fork();
    await findTarget(this.#device.target).lower(graph, this.#context());
    const bytes = await encode(graph);
    const float = { name: "float", precision: "float32", session: {}, features: [] } as const;
    const asRead = (measurement: Measurement): Judged => ({
      ...float,
      ...before,
      steps: [],
      measurement,
    });
    try {
      const measurement = await this.#measure(bytes, {}, this.baseline !== null);
      const slower =
        this.baseline !== null && compareLatency(measurement, this.baseline) === "slower";
      this.#step(
        "simplify",
        slower ? "reverted" : "kept",
        floatReason(measurement),
        before,
        { graph, bytes },
        measurement,
      );
      if (slower && this.baseline !== null) return asRead(this.baseline);
      return { ...float, graph, bytes, steps: [{ use: "simplify" }], measurement };
    } catch (error) {
      if (!isRefusal(error) || this.baseline === null) throw refused(this.#device, error);
      this.#step(
        "simplify",
        "reverted",
        `the engine refuses it: ${messageOf(error)}`,
        before,
        { graph, bytes },
        null,
      );
      return asRead(this.baseline);
    }
  }

  #branches(): readonly Branch[] {
    const { recipe, evidence } = this.#request;
    const own = recipe.steps.filter((step) => step.use !== "simplify");
    const branches: Branch[] =
      own.length === 0
        ? []
        : [
            {
              name: recipe.name,
              precision: "mixed",
              stages: own.map((step) => [step]),
              session: {},
              features: [],
              skip: null,
              proposed: false,
            },
          ];
    if (!recipe.propose) return branches;
    const target = findTarget(this.#device.target);
    for (const proposal of target.propose(this.#simplified))
      branches.push({
        ...proposal,
        stages: [proposal.steps],
        skip: this.#unavailable(proposal, evidence === "none"),
        proposed: true,
      });
    return branches;
  }

  #unavailable(proposal: Proposal, withoutData: boolean): string | null {
    const missing = proposal.features.find((feature) => !this.#device.features.includes(feature));
    if (missing !== undefined) return `unverifiable-here: this machine lacks ${missing}`;
    if (withoutData && !proposal.withoutData) return "needs data to be checked";
    if (proposal.needsData && this.#request.calibration === undefined)
      return "needs data to calibrate with";
    return null;
  }

  /** Tries a branch's stages one after another; one that breaks the budget is reverted and the next tried without it. */
  async #try(branch: Branch, float: Judged): Promise<Judged | null> {
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
      this.#reject(branch.name, precision, reason, null);
      return null;
    };
    try {
      let { graph } = state;
      let changed = false;
      for (const step of stage) {
        const applied = await applyStep(graph, step, this.#context());
        ({ graph } = applied);
        changed ||= applied.changed;
      }
      if (!changed) return revert(nothingReason(graph, state.graph));
      const explained = graph.fork();
      await findTarget(this.#device.target).lower(explained, this.#context());
      const bytes = await encode(explained);
      const measurement = await this.#measure(bytes, session, true);
      const verdict: Acceptance = accept(measurement, current.measurement, precision, this.#rule);
      this.#step(
        name,
        verdict.accepted ? "kept" : "reverted",
        verdict.reason,
        before,
        { graph: explained, bytes },
        measurement,
      );
      if (verdict.accepted)
        return {
          name: branch.name,
          graph: explained,
          bytes,
          steps: [...state.steps, ...stage],
          precision,
          session,
          features,
          measurement,
        };
      this.#reject(branch.name, precision, verdict.reason, measurement);
      this.#noteTooCoarse(branch, stage, explained, measurement, current.measurement);
      return null;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return revert(
        `${error.code === "PASS_FAILED" ? "it failed" : "the engine refuses it"}: ${error.message}`,
      );
    }
  }

  #noteTooCoarse(
    branch: Branch,
    stage: Stage,
    graph: Graph,
    measurement: Measurement,
    current: Measurement,
  ): void {
    const step = stage.find(({ use }) => use === "quantize-static");
    const tooCoarse = (drop(measurement) ?? 0) > this.#rule.maxDrop;
    if (
      !branch.proposed ||
      step === undefined ||
      !tooCoarse ||
      compareLatency(measurement, current) === "slower"
    )
      return;
    const changed = graph.journal.filter(
      ({ what, rule }) => what === "changed" && rule === step.use,
    );
    this.#tooCoarse.push({
      branch,
      step,
      layers: changed.map(({ node, op }) => ({ layer: node, op })),
      measurement,
    });
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

  #context(): PassContext {
    const { calibration, signal } = this.#request;
    return {
      ...(calibration === undefined ? {} : { calibration }),
      ...(signal === undefined ? {} : { signal }),
    };
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

  #reject(
    name: string,
    precision: Precision,
    reason: string,
    measurement: Measurement | null,
  ): void {
    this.candidates.push({
      target: this.#device.target,
      name,
      verdict: "rejected",
      reason,
      precision,
      measurement,
    });
  }
}

function isRefusal(error: unknown): error is PareError {
  return (
    isPareError(error) &&
    ["ENGINE", "ENGINE_CRASHED", "PASS_FAILED", "UNSUPPORTED_OP"].includes(error.code)
  );
}

function refused(device: TargetDevice, error: unknown): unknown {
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

function drop(measurement: Measurement): number | null {
  return measurement.accuracy?.drop ?? null;
}

function floatReason(measurement: Measurement): string {
  const flips = measurement.accuracy?.flips ?? null;
  const agreement =
    flips === null
      ? "equal within rounding"
      : `equal within rounding: ${flips.count} of ${flips.n} flipped`;
  const ratio = latencyOf(measurement)?.ratio ?? null;
  return ratio === null ? agreement : `${agreement}; ${round(ratio)}× the latency before`;
}

/** Why a pass that applies to nothing left what it left. */
function nothingReason(graph: Graph, before: Graph): string {
  const said = graph.journal
    .slice(before.journal.length)
    .map(({ op, reason }) => `${op}: ${reason}`);
  const different = [...new Set(said)].slice(0, 3);
  return different.length === 0
    ? "it changes nothing in this model"
    : `it changes nothing in this model (${different.join("; ")})`;
}

/** Nodes of all bodies, Constants among them. */
export function countNodes(graph: Graph): number {
  let count = 0;
  for (const _ of graph.allNodes()) count += 1;
  return count;
}
