import { recipeHash } from "../pipeline/recipe-data.js";
import { BestSoFar } from "./best-so-far.js";
import { decideTargets } from "./decide-targets.js";
import { measureFloat } from "./float-accuracy.js";
import { keepCounts } from "./plan/kept-counts.js";
import { beginning } from "./make/make.js";
import { openTargets } from "./open-targets.js";
import { planSearch, turnDownWaiting } from "./plan-search.js";
import type { Optimized, OptimizeRequest } from "./request.js";
import { Rounds } from "./rounds.js";
import { beginSearch } from "./search.js";

/**
 * The main job: for each device, the smallest or fastest file that keeps the accuracy budget, by the contract's rule of
 * choice. The float model is simplified once; what the recipe and the targets' tables say is tried on forks, what is
 * expected to gain most in a second first, and measured, cheap before dear, as far as the time goes; the finalists are
 * timed against each other, and the best is held against the test samples.
 * @throws PareError ABORTED, ENGINE where no engine can run the model nor its simplified form
 */
export async function optimize(request: OptimizeRequest): Promise<Optimized> {
  const search = beginSearch(request, await recipeHash(request.recipe));
  const { recipe, services, progress } = search;
  progress.step("simplifying");
  const simplified = await beginning(request.graph, recipe.simplify, services);
  await openTargets(search, simplified);
  const plan = await planSearch(search, simplified);
  const bestSoFar = new BestSoFar(search, plan);
  try {
    await measureFloat(search, plan);
    await bestSoFar.begin();
    await new Rounds(search, simplified, plan, bestSoFar).run();
    await bestSoFar.catchUp(true);
    turnDownWaiting(search, plan);
    await decideTargets(search, plan);
  } catch (error) {
    await keepCounts(request, plan.schedule.interruptedAt(request.clock.now()));
    throw error;
  }
  progress.done();
  return bestSoFar.done();
}
