import type { Artifact, Tensors, TryOut } from "@pare/runtime/format";
import type { CallOptions } from "../engines/call-within.js";
import type { EngineHost } from "../engines/host.js";
import type { LoadedModels } from "./loaded-models.js";

/** After the first run of a file. */
const mostRuns = 4;
const moreMs = 400;
/** A WebAssembly engine beyond this is started anew: its memory never shrinks. */
const recycleBytes = 1.5 * 2 ** 30;

/** Loads a file and runs it a few times. */
export async function tryOut(
  models: LoadedModels,
  host: EngineHost,
  artifact: Artifact,
  feeds: Tensors,
  options: CallOptions,
): Promise<TryOut> {
  await recycleLarge(host);
  return models.using(host, artifact, options, async (model) => {
    const first = await host.quickest(model, feeds, 1, options);
    // WebAssembly's first runs are in its baseline tier: a few more where they cost little.
    const more = Math.min(mostRuns, Math.floor(moreMs / first));
    const next = more > 0 ? await host.quickest(model, feeds, more, options) : Infinity;
    return { loadMs: model.loadMs, runMs: Math.min(first, next) };
  });
}

async function recycleLarge(host: EngineHost): Promise<void> {
  if (host.target === "cpu") return;
  const bytes = await host.peakBytes().catch(() => null);
  if (bytes !== null && bytes > recycleBytes) await host.recycle();
}
