import { PareError } from "@pare/runtime/format";
import { type RepeatedLayer, repeatedLayers } from "../analysis/repeated-layers.js";
import type { Graph } from "../ir/index.js";
import { either, integer, listOf, oneOf, refuse, share } from "../pipeline/kinds.js";
import { option, optional } from "../pipeline/options.js";
import { definePass, type PassContext } from "../pipeline/pass.js";
import { highest, spreadEvenly, wishedLayers } from "../prune/choose-layers.js";
import { layerInfluences } from "../prune/layer-influence.js";
import { leaveOutLayers } from "../prune/leave-out-layers.js";
import { bringToNormalForm } from "./normal-form.js";

const where = "drop-layers";

/**
 * Takes whole layers out of a model that repeats them. What is left has its own weights, and answers otherwise than before:
 * what that costs is for training to repair.
 */
export const dropLayers = definePass({
  name: where,
  summary: "take out whole layers, where the model repeats them, so that less is computed",
  options: {
    keep: option(share, 0.5, "Of the layers that repeat, this share is left."),
    layers: optional(
      either(integer(1), listOf(integer(0), 1)),
      "How many are left instead, or which: their numbers, from 0.",
    ),
    by: option(
      oneOf(["spread", "influence"]),
      "spread",
      "The first, the last and those at even distances between, or those that change most of what goes through them on samples.",
    ),
  },
  create(options) {
    if (options.by === "influence" && Array.isArray(options.layers))
      refuse(
        `${where}.by`,
        "goes with no list of layers",
        "Say how many are left, or leave `by` out.",
      );
    return {
      exactness: "lossy",
      ...(options.by === "influence" && { needs: "examples" as const }),
      async run(graph, context) {
        await bringToNormalForm(graph);
        const layers = repeatedLayers(graph);
        const wished = wishedLayers(layers.length, { ...options, where });
        const kept =
          typeof wished !== "number"
            ? wished
            : options.by === "spread"
              ? spreadEvenly(layers.length, wished)
              : highest(await influences(graph, layers, context), wished);
        leaveOutLayers(graph, layers, kept);
      },
    };
  },
});

/** @throws PareError DATA_NOT_FOUND without samples */
async function influences(
  graph: Graph,
  layers: readonly RepeatedLayer[],
  { examples, signal }: PassContext,
): Promise<readonly number[]> {
  if (examples !== undefined) return layerInfluences(graph, layers, examples, signal);
  throw new PareError(
    "DATA_NOT_FOUND",
    `${where} measures layers on samples, but there is no data.`,
    { where, hint: 'Give data with --data, or choose layers by "spread".' },
  );
}
