import type { Accuracy, Measured } from "@pare/runtime/format";
import type { FloatAnswers } from "../candidate.js";
import { answering } from "./quickest-answers.js";
import type { OptimizeRequest, TargetDevice } from "../request.js";
import {
  dropText,
  checkAccuracy,
  holdsShare,
  lookAt,
  round,
  type Verdict,
} from "../verdict/verdict.js";

/** What looking at a candidate's accuracy needs to know of its target. */
export interface LookContext {
  readonly request: OptimizeRequest;
  readonly device: TargetDevice;
  /** What drops are against. */
  readonly floatAnswers: FloatAnswers;
  /** Validation samples that are looked at; more of them only where a candidate may win, and it is still open if it holds. */
  readonly validation: number;
  /** Whether so many more, with the float model beside, are worth their time for what may be gained. */
  readonly affordsMore: (samples: number, worth: number) => boolean;
  readonly say: (what: string) => void;
}

/** What was seen of a candidate's accuracy. */
export interface Looked {
  /** Null where nothing is measured. */
  readonly accuracy: Accuracy | null;
  readonly verdict: Verdict;
}

/** Samples at which a candidate is looked at before all of them, and what each look may spend of the error (two-sided). */
const looks: readonly (readonly [count: number, error: number])[] = [
  [16, 0.0005],
  [50, 0.002],
  [200, 0.005],
];

/**
 * Looks at a candidate's accuracy on more samples at each look, and ends as soon as the answer is sure; where it is open
 * on all that were planned, on more of them, as far as what may be won is worth the time.
 * @param winsBy the logarithm by which the candidate is faster than what is best so far; 0 where that is not sure
 * @param soFar told that it holds on the samples that were planned, before it is looked at on more
 */
export async function lookAtAccuracy(
  context: LookContext,
  on: Measured,
  winsBy: number,
  soFar: (looked: Looked) => Promise<void>,
): Promise<Looked> {
  const { request, device, validation, affordsMore, say, floatAnswers } = context;
  const { measure, evidence, budget } = request;
  const { maxDrop } = budget.limits(device.target);
  const rule = { maxDrop, evidence };
  if (evidence === "none") return { accuracy: null, verdict: checkAccuracy(null, rule) };
  const float = { float: floatAnswers.artifact, floatOn: floatAnswers.target };
  const asked = await answering(on, floatAnswers.target, measure);
  const ask = { ...asked, ...float, split: "validation" } as const;
  for (const [count, error] of measure.isMean ? looks : []) {
    if (count * 2 > validation) break;
    say(`accuracy on ${count} samples`);
    const accuracy = await measure.accuracy({ ...ask, count, confidence: 1 - error });
    if (accuracy === null) break;
    const look = lookAt(accuracy, rule);
    if (look === "open") continue;
    const accepted = look === "accept";
    const surely = `surely ${accepted ? "within" : "over"} the allowed ${round(maxDrop)}`;
    return { accuracy, verdict: { accepted, reason: `${dropText(accuracy)}, ${surely}` } };
  }
  const all = measure.samples("validation");
  for (let count = validation; ; count = Math.min(all, 2 * count)) {
    say(`accuracy on ${count} samples`);
    const accuracy = await measure.accuracy({ ...ask, count });
    const verdict = checkAccuracy(accuracy, rule);
    const isOpen = accuracy !== null && lookAt(accuracy, rule) === "open";
    const more = Math.min(all, 2 * count) - count;
    if (!isOpen || more <= 0) return { accuracy, verdict };
    const holds = holdsShare(accuracy, rule);
    const worth = winsBy * (verdict.accepted ? 1 - holds : holds);
    if (worth <= 0) return { accuracy, verdict };
    // Who repeats a search, or goes on with it, decides by what was looked at before.
    const isKnown = await measure.knows({ ...ask, count: count + more });
    if (!isKnown && !affordsMore(more, worth)) return { accuracy, verdict };
    if (verdict.accepted && count === validation) await soFar({ accuracy, verdict });
  }
}
