import { type Artifact, PareError } from "@pare/runtime/format";
import { agreementSamples } from "../plan/costs.js";
import type { OptimizeRequest, TargetDevice } from "../request.js";
import { defaultBudgetMs } from "../plan/schedule.js";

/** Of the time that there is, what comparing a file with the CPU's answers may take on a GPU that is emulated. */
const mostShare = 1 / 3;
/** Where it is expected to take less than so much of that, it is not tried before. */
const trusted = 1 / 2;

/**
 * What a sample takes on an emulated GPU: by a rule, or as one shows where by that all might take too long.
 * @param runMs on the CPU
 * @throws PareError ENGINE where it takes too long to compare as many as have to be, and there are other targets
 */
export async function emulatedSampleMs(
  request: OptimizeRequest,
  device: TargetDevice,
  reference: Artifact,
  runMs: number,
): Promise<number> {
  const { measure, budget, clock, signal, devices } = request;
  const budgetMs = budget.timeBudgetMs ?? defaultBudgetMs;
  const mostMs = (mostShare * budgetMs) / agreementSamples;
  const ruledMs = 500 + 20 * runMs;
  const { standIn, target } = device;
  if (standIn === null || devices.length === 1 || ruledMs <= trusted * mostMs) return ruledMs;
  const sampleMs = async (): Promise<number> => {
    const began = clock.now();
    await measure.parity({
      artifact: reference,
      target,
      reference: { artifact: reference, target: standIn },
      split: "test",
      count: 1,
      signal,
      limitMs: mostShare * budgetMs,
    });
    return clock.now() - began;
  };
  // The first loads the model, too.
  const firstMs = await sampleMs();
  const eachMs = firstMs <= mostMs ? firstMs : await sampleMs();
  if (eachMs <= mostMs) return eachMs;
  throw new PareError(
    "ENGINE",
    `The GPU is emulated here, where a sample takes ${seconds(eachMs)} s: comparing ${agreementSamples} takes too much of ${seconds(budgetMs)} s.`,
    { where: target, hint: "Name it alone, or give --time-budget more." },
  );
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
