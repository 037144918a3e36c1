import { windowAxes } from "../../ops/families/window.js";
import type { Halo } from "../plan/view.js";
import type { NodeFacts } from "./node-facts.js";

/** By spatial axis, the pads of a convolution. */
export function convolutionHalo(facts: NodeFacts): readonly Halo[] {
  const kernel = facts.dims(1).slice(2);
  return windowAxes(facts.dims(0).slice(2), kernel, facts.attributes).map(({ before, after }) => [
    Math.max(0, Number(before)),
    Math.max(0, Number(after)),
  ]);
}
