import {
  type Artifact,
  artifactBytes,
  type Measured,
  type SizeBytes,
  throwIfAborted,
  type TryOut,
} from "@pare/runtime/format";
import type { Made, Planned, State, Tried, TriedAs } from "../candidate.js";
import { screeningLimits } from "../plan/costs.js";
import { type LookContext, type Looked, lookAtAccuracy } from "./looks.js";
import { isCandidatesFault, isOfMaking, isUnmet } from "../refusal.js";
import { change, finish, type MakeServices } from "../make/make.js";
import type { TargetDevice } from "../request.js";
import {
  checkGain,
  gainText,
  orderOf,
  relative,
  type Relative,
  tieBand,
} from "../verdict/verdict.js";
import { runsAs } from "./what-runs.js";
import type { StepGroup } from "../../pipeline/step.js";

/** What a trial needs to know of its target. */
export interface TrialContext extends LookContext {
  readonly services: MakeServices;
  readonly ending: readonly StepGroup[];
  /** What ratios are against: the model as its user has it, where the engine takes it. */
  readonly reference: Artifact;
  /** What is best so far; the float model at first. */
  readonly best: Tried;
  /** What of a file is more than the user allows; null where nothing is. */
  readonly over: (one: Pick<Tried, "artifact" | "latency">) => string | null;
  /** Names by the identity of what was made on this target before. */
  readonly made: Map<string, string>;
  /** An engine may take so long for one answer. */
  readonly limitMs: number;
}

export type Outcome =
  | { readonly accepted: true; readonly tried: Tried; readonly reason: string }
  | {
      readonly accepted: false;
      readonly far: TriedAs;
      readonly reason: string;
      /** As far as it was made and measured. */
      readonly made: Made | null;
      readonly measured: Partial<Tried> | null;
      /** It was fast and small enough, and lost too much: keeping some of it float may help. */
      readonly tooCoarse: boolean;
    };

/** What is accepted as far as it was looked at, which goes on. */
export type SoFar = (tried: Tried) => Promise<void>;

/** It may win: what comes of it is said by its accuracy, which is looked at beside those of other targets. */
export interface Undecided {
  readonly decide: (soFar: SoFar) => Promise<Outcome>;
}

/**
 * Makes a candidate and measures it, cheap before dear: it loads and answers; a few blocks of its time; then, to decide,
 * its accuracy, on more samples at each look. It ends as soon as the answer is known.
 * @param from what it starts from, and is judged against where it is the recipe's own
 */
export async function screenCandidate(
  planned: Planned,
  from: State,
  before: Tried,
  context: TrialContext,
): Promise<Outcome | Undecided> {
  const trial = new Trial(planned, from, before, context);
  const screened = await orRefused(() => trial.screen());
  return "accepted" in screened
    ? screened
    : { decide: (soFar) => orRefused(() => trial.decide(screened, soFar)) };
}

/** The whole at once, for what nothing else can be decided beside. */
export async function tryCandidate(
  planned: Planned,
  from: State,
  before: Tried,
  context: TrialContext,
): Promise<Outcome> {
  const screened = await screenCandidate(planned, from, before, context);
  return "decide" in screened ? screened.decide(async () => {}) : screened;
}

async function orRefused<T>(work: () => Promise<T>): Promise<T | Outcome> {
  try {
    return await work();
  } catch (error) {
    if (!isCandidatesFault(error) && !isUnmet(error)) throw error;
    if (error.code === "DATA_MODULE")
      return rejected("screened", `its answers cannot be scored: ${error.message}`);
    const who = isOfMaking(error) ? "it cannot be made" : "the engine refuses it";
    return rejected("not", `${who}: ${error.message}`);
  }
}

/** Nothing of it was made. */
export function notTried(reason: string): Outcome {
  return rejected("not", reason);
}

function rejected(
  far: TriedAs,
  reason: string,
  made: Made | null = null,
  measured: Partial<Tried> | null = null,
  tooCoarse = false,
): Outcome {
  return { accepted: false, far, reason, made, measured, tooCoarse };
}

/** A file that runs, and is not too slow. */
interface Screened {
  readonly made: Made;
  readonly tryOut: TryOut;
  readonly latency: Relative | null;
}

class Trial {
  readonly #planned: Planned;
  readonly #from: State;
  readonly #before: Tried;
  readonly #context: TrialContext;

  constructor(planned: Planned, from: State, before: Tried, context: TrialContext) {
    this.#planned = planned;
    this.#from = from;
    this.#before = before;
    this.#context = context;
  }

  async screen(): Promise<Outcome | Screened> {
    const planned = this.#planned;
    const context = this.#context;
    const { request, device, services, ending } = context;
    const { measure } = request;
    const required = planned.group.required;
    context.say("making it");
    const { state, changed, said } = await change(
      this.#from,
      planned.group,
      planned.precision,
      services,
    );
    if (!changed && !required) return rejected("not", nothingText(said));
    const { name, session } = planned;
    const made = await finish(state, name, device.target, session, ending, services);
    const lacks = made.artifact.requires.features.find((feature) => !hasFeature(device, feature));
    if (lacks !== undefined)
      return rejected("not", `unverifiable-here: this machine lacks ${lacks}`, made);
    const twin = context.made.get(made.identity);
    if (twin !== undefined && !required)
      return rejected("not", `it makes the same file as ${twin}`, made);
    context.made.set(made.identity, name);

    context.say("loading it");
    const tryOut = await measure.tryOut(this.#on(made));
    throwIfAborted(request.signal);
    context.say("timing it");
    const latency = await this.#screen(made, tryOut.runMs);
    const hopeless = required ? null : this.#hopeless(made, latency);
    if (hopeless !== null)
      return rejected("screened", hopeless, made, {
        tryOut,
        latency,
        size: await measure.size(made.artifact),
      });
    return { made, tryOut, latency };
  }

  async decide(screened: Screened, soFar: SoFar): Promise<Outcome> {
    const { made, latency } = screened;
    // Compressing takes a while and a core: beside what is not timed.
    const sizing = this.#context.request.measure.size(made.artifact);
    const looking = lookAtAccuracy(
      this.#context,
      this.#on(made),
      this.#winsBy(latency),
      async (looked) => {
        const outcome = this.#judge(screened, await sizing, looked);
        if (outcome.accepted) await soFar(outcome.tried);
      },
    );
    const [size, looked] = await Promise.all([sizing, looking]);
    return this.#judge(screened, size, looked);
  }

  #judge(
    { made, tryOut, latency }: Screened,
    size: SizeBytes,
    { accuracy, verdict }: Looked,
  ): Outcome {
    const { request } = this.#context;
    const { required } = this.#planned.group;
    const measured: Tried = { ...made, tryOut, latency, size, accuracy };
    if (!verdict.accepted)
      return rejected("decided", verdict.reason, made, measured, request.evidence !== "none");
    const compared = this.#against(latency, this.#before);
    const gain = checkGain(
      compared,
      measured.size.brotli / this.#before.size.brotli,
      request.budget.prefer,
      runsAs(measured, this.#before, compared),
    );
    if (!gain.accepted && !required && !this.#helps(measured, this.#before))
      return rejected("decided", `${gain.reason}; ${verdict.reason}`, made, measured);
    return { accepted: true, tried: measured, reason: `${verdict.reason}; ${gain.reason}` };
  }

  #on({ artifact }: Made): Measured {
    const { request, device, limitMs } = this.#context;
    return { artifact, target: device.standIn ?? device.target, signal: request.signal, limitMs };
  }

  /** Against the model as its user has it, in a few blocks; null where nothing is timed. */
  async #screen({ artifact }: Made, runMs: number): Promise<Relative | null> {
    const { request, device, limitMs, reference } = this.#context;
    if (device.standIn !== null) return null;
    const { between } = await request.measure.latency({
      artifacts: [reference, artifact],
      target: device.target,
      limits: screeningLimits(runMs),
      seed: 1,
      screening: true,
      signal: request.signal,
      limitMs,
    });
    return between[0]?.[1] ?? null;
  }

  #against(latency: Relative | null, { latency: other }: Tried): Relative | null {
    return latency === null || other === null ? null : relative(latency, other);
  }

  /** Is it within what the user allows, and the other one not? Then it wins, whatever it gains. */
  #helps(one: Pick<Tried, "artifact" | "latency">, other: Tried): boolean {
    const { over } = this.#context;
    return over(other) !== null && over(one) === null;
  }

  /** Can it still win? It is slower than what is best so far, or as fast and no smaller. */
  #hopeless(made: Made, latency: Relative | null): string | null {
    const { best, request } = this.#context;
    if (this.#helps({ artifact: made.artifact, latency }, best)) return null;
    const { prefer } = request.budget;
    const size = artifactBytes(made.artifact) / artifactBytes(best.artifact);
    const compared = prefer === "size" ? null : this.#against(latency, best);
    if (compared === null)
      return size > 1.1
        ? `larger than ${best.name}: ${Math.round(size * 100)} % of its bytes`
        : null;
    const text = `than ${best.name}: ${gainText(compared, size, "its bytes")}`;
    if (runsAs(made, best, compared))
      return size < 1 ? null : `it runs the same and is no smaller ${text}`;
    if (compared.interval[0] > 1 + tieBand) return `slower ${text}`;
    const order = orderOf(compared);
    if (order === "tie" && size >= 1) return `as fast and no smaller ${text}`;
    return null;
  }

  /** The logarithm by which it is faster than what is best so far; 0 where that is not sure. */
  #winsBy(latency: Relative | null): number {
    const { best, request } = this.#context;
    const compared = this.#against(latency, best);
    const wins =
      request.budget.prefer === "latency" && compared !== null && orderOf(compared) === "faster";
    return wins ? -Math.log(compared.ratio) : 0;
  }
}

/** What every engine of a target has is not asked of the device. */
function hasFeature(device: TargetDevice, feature: string): boolean {
  return feature !== "shader-f16" || device.features.includes(feature);
}

/** Why a pass that applies to nothing left what it left. */
function nothingText(said: readonly string[]): string {
  const different = [...new Set(said)].slice(0, 3);
  const nothing = "it changes nothing in this model";
  return different.length === 0 ? nothing : `${nothing} (${different.join("; ")})`;
}
