import { type Measurement, PareError } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { PassContext } from "../pipeline/pass.js";
import { findTarget } from "../targets/index.js";
import { applyStep, encode } from "./candidate.js";
import type { Lock } from "./lock.js";
import type { OptimizeRequest, TargetDevice } from "./request.js";
import type { TargetSearch } from "./search-target.js";

/** A locked decision made again: the same steps on the same model, nothing timed, nothing compared. */
export async function replay(
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
