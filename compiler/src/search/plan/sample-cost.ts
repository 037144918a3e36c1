import {
  type AccuracyRequest,
  type Artifact,
  artifactIdentity,
  findFault,
  type JsonSchema,
} from "@pare/runtime/format";
import { CacheKey } from "../../pipeline/cache-key.js";
import { keepJson, keptJson } from "./kept-json.js";
import type { OptimizeRequest, TargetDevice } from "../request.js";

/**
 * Twice as many samples each time until that takes a while: what is cheap is not typical at first. Then as many more as
 * the time does for, at once: what an engine answers is read while it goes on; and again where they took much less, for a
 * metric may have something to load before its first.
 */
const firstSamples = 2;
const whileMs = 100;
const firstMs = 900;
const leastLeftMs = 300;
/** What an earlier run knew takes no time: it tells no more than these. */
const mostDoubled = 512;

/** Of the float model. */
interface SampleCost {
  /** Its scoring included. */
  readonly sampleMs: number;
  /** Samples that were asked for it. */
  readonly asked: number;
}

const schema: JsonSchema = {
  type: "object",
  properties: {
    sampleMs: { type: "number", minimum: 0, maximum: 1e9 },
    asked: { type: "integer", minimum: 0, maximum: 1e9 },
  },
  required: ["sampleMs", "asked"],
};

/**
 * What a sample takes, from an earlier run where its answers are still known: who goes on plans alike, and finds the same
 * engine the quickest.
 */
export async function sampleCost(
  request: OptimizeRequest,
  device: TargetDevice,
  artifact: Artifact,
  runMs: number,
  limitMs: number,
): Promise<SampleCost> {
  const { measure, evidence, kept } = request;
  if (evidence === "none") return { sampleMs: runMs, asked: 0 };
  const target = device.standIn ?? device.target;
  const ask = { artifact, target, split: "validation" } as const;
  const find = (): Promise<SampleCost> => findSampleCost(request, ask, runMs, limitMs);
  if (kept === undefined) return find();
  const key = CacheKey.of("sample-cost", {
    setting: kept.setting,
    identity: await artifactIdentity(artifact),
    target,
    engine: device.engine,
  });
  const earlier = await keptJson(kept.cache, key, isSampleCost);
  if (earlier && (await measure.knows({ ...ask, count: earlier.asked }))) return earlier;
  const found = await find();
  await keepJson(kept.cache, key, found);
  return found;
}

async function findSampleCost(
  { measure, clock, signal }: OptimizeRequest,
  of: Pick<AccuracyRequest, "artifact" | "target" | "split">,
  runMs: number,
  limitMs: number,
): Promise<SampleCost> {
  const validation = measure.samples("validation");
  const began = clock.now();
  const ask = { ...of, signal, limitMs };
  let count = 0;
  for (let more = firstSamples; more > 0 && count < validation;) {
    const asked = clock.now();
    const before = count;
    count = Math.min(count + more, validation);
    await measure.accuracy({ ...ask, count });
    const now = clock.now();
    const [tookMs, leftMs] = [now - asked, began + firstMs - now];
    if (tookMs < whileMs) more = count < mostDoubled ? count : 0;
    else more = leftMs < leastLeftMs ? 0 : Math.floor((leftMs * (count - before)) / tookMs);
  }
  // All but one again, with all answers known: what scoring alone takes. Of a candidate, the float model's is known.
  const scored = clock.now();
  if (count > 1) await measure.accuracy({ ...ask, count: count - 1 });
  const scoringMs = count > 1 ? (clock.now() - scored) / (count - 1) : 0;
  const answeredMs = (await measure.sampleMs(of.artifact, of.target)) ?? runMs;
  return { sampleMs: Math.max(answeredMs, runMs / 2) + scoringMs, asked: count };
}

function isSampleCost(value: unknown): value is SampleCost {
  return findFault(value, schema) === null;
}
