import { arithmeticOf, type Parity, type ParityRequest } from "@pare/runtime/format";
import { countMacs } from "../../analysis/index.js";
import { evaluateGraph } from "../../ops/index.js";
import { findTarget } from "../../targets/index.js";
import { loadableOn } from "../../targets/loadable.js";
import type { Tried } from "../candidate.js";
import { isRefusal } from "../refusal.js";
import { agreementSamples, decidesAlone } from "../plan/costs.js";
import type { OptimizeRequest, TargetDevice } from "../request.js";
import { checkParity, type Verdict } from "../verdict/verdict.js";

/** The reference evaluation takes some ten nanoseconds a multiply-accumulate: more is not worth the wait. */
const mostMacs = 2e8;
/** Where the accuracy on the engine itself decides, agreement is told and decides nothing: it may take little time. */
const toldBeside = { maxMs: 250, atLeast: 4 };

export interface Agreement {
  readonly parity: Parity | null;
  readonly verdict: Verdict;
}

/**
 * Does a file compute on its engine what it says? Integers are held against the reference evaluation where that can be
 * waited for, all else against the CPU engine. A CPU engine whose integer products saturate is no reference for them.
 * @param maxMs on an emulated GPU, after the first samples
 */
export async function checkAgreement(
  request: OptimizeRequest,
  device: TargetDevice,
  chosen: Tried,
  maxMs: number,
  limitMs: number,
): Promise<Agreement> {
  const reference = await referenceFor(request, device, chosen);
  const nothing = { parity: null, verdict: checkParity(null, chosen.precision, "") };
  if (reference === null) return nothing;
  const asked = request.measure.parity({
    artifact: chosen.artifact,
    target: device.target,
    reference: reference.by,
    split: "test",
    count:
      device.standIn === null
        ? agreementSamples
        : Math.max(agreementSamples, request.measure.samples("test")),
    ...(device.standIn !== null
      ? { maxMs, atLeast: agreementSamples }
      : request.evidence === "none"
        ? decidesAlone
        : toldBeside),
    signal: request.signal,
    limitMs,
  });
  try {
    const parity = await asked;
    return { parity, verdict: checkParity(parity, chosen.precision, reference.name) };
  } catch (error) {
    // What the other engine has no kernel for, or no room, says nothing of this one.
    if (isRefusal(error) && !(await answers(request, reference.by, limitMs))) return nothing;
    throw error;
  }
}

/** Does what is asked as a reference run at all? */
async function answers(
  { measure, signal }: OptimizeRequest,
  by: ParityRequest["reference"],
  limitMs: number,
): Promise<boolean> {
  if (!("artifact" in by)) return true;
  try {
    await measure.tryOut({ ...by, signal, limitMs });
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return false;
  }
}

async function referenceFor(
  request: OptimizeRequest,
  device: TargetDevice,
  chosen: Tried,
): Promise<{ readonly by: ParityRequest["reference"]; readonly name: string } | null> {
  const { artifact, written, precision } = chosen;
  const isInteger = arithmeticOf[precision] === "integer";
  if (isInteger) {
    const macs = countMacs(written.graph);
    const name = "the reference evaluation";
    if (macs !== null && macs * agreementSamples <= mostMacs)
      return {
        by: { evaluate: (feeds) => evaluateGraph(written.graph, feeds, request.signal), name },
        name,
      };
  }
  const { devices, answering = devices } = request;
  const other = answering.find(
    ({ target, standIn }) => target === (device.standIn ?? "cpu") && standIn === null,
  );
  if (other === undefined || other.target === device.target) return null;
  if (isInteger && other.saturates) return null;
  const own = await loadableOn(findTarget(other.target), artifact, () => written.graph);
  return { by: { artifact: own, target: other.target }, name: `the ${other.target} engine` };
}
