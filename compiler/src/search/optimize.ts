import { PareError, throwIfAborted } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { PassContext } from "../pipeline/pass.js";
import { applyStep } from "./candidate.js";
import { checkLock } from "./lock.js";
import { replay } from "./replay.js";
import type { Optimized, OptimizeRequest } from "./request.js";
import { searchTarget } from "./search-target.js";
import { Decisions } from "./decisions.js";

/**
 * The main job: for each device, the smallest or fastest file that keeps the accuracy budget, by the contract's rule
 * of choice. The float model is simplified once; every step is tried on a fork, measured, and kept or reverted.
 * @throws PareError ABORTED, LOCK, ENGINE where an engine can run neither the model nor its simplified form
 */
export async function optimize(request: OptimizeRequest): Promise<Optimized> {
  const { devices, budget, frozen, signal } = request;
  if (frozen !== undefined)
    checkLock(frozen, {
      modelSha256: request.originalSha256,
      splits: request.splits,
      shapes: request.shapes,
      constants: request.constants,
    });
  let spentMs = 0;
  const decisions = new Decisions(request);
  request.onProgress?.(0, "simplifying");
  const simplified = await simplify(request);
  for (const [index, device] of devices.entries()) {
    throwIfAborted(signal);
    const share = (fraction: number, what: string): void =>
      request.onProgress?.((index + fraction) / devices.length, what);
    // The budget is the search's alone: final measurements must not starve the targets that come later.
    const began = Date.now();
    const deadline = began + Math.max(0, budget.timeBudgetMs - spentMs) / (devices.length - index);
    try {
      const search =
        frozen === undefined
          ? await searchTarget(request, device, simplified, deadline, (fraction, what) =>
              share(fraction * 0.8, what),
            )
          : await replay(request, device, simplified, frozen);
      spentMs += Date.now() - began;
      decisions.steps.push(...search.steps);
      decisions.sensitivity.push(
        ...search.sensitivity.map(({ layer, op, error }) => ({
          target: device.target,
          node: layer,
          op,
          sqnrDb: -10 * Math.log10(Math.max(error, 1e-12)),
        })),
      );
      share(0.8, `${device.target}: the test samples`);
      await decisions.choose(device, search);
    } catch (error) {
      if (
        !(error instanceof PareError) ||
        (error.code !== "ENGINE" && error.code !== "ENGINE_CRASHED") ||
        devices.length === 1
      )
        throw error;
      decisions.skipped.push({ target: device.target, reason: error.message });
    }
    await request.onTarget?.(decisions.done());
  }
  if (decisions.variants.length === 0)
    throw new PareError(
      "ENGINE",
      `No target could run the model: ${decisions.skipped.map(({ target, reason }) => `${target}: ${reason}`).join("; ")}`,
    );
  request.onProgress?.(1, "done");
  return decisions.done();
}

async function simplify(request: OptimizeRequest): Promise<Graph> {
  const { signal } = request;
  const context: PassContext = signal === undefined ? {} : { signal };
  const normalized = await applyStep(request.graph, { use: "normalize" }, context);
  const step = request.recipe.steps.find(({ use }) => use === "simplify");
  return step === undefined
    ? normalized.graph
    : (await applyStep(normalized.graph, step, context)).graph;
}
