import { PareError, throwIfAborted } from "@pare/runtime/format";
import type { Graph } from "../ir/index.js";
import type { Examples } from "../pipeline/examples.js";
import { boolean, integer, oneOf, refuse, share } from "../pipeline/kinds.js";
import { option, optional, type OptionsOf } from "../pipeline/options.js";
import { definePass, type PassContext } from "../pipeline/pass.js";
import { pruningAccount } from "../prune/account.js";
import type { Wish } from "../prune/choose.js";
import { consumersOf } from "../prune/consumers.js";
import { cutChannels } from "../prune/cut.js";
import type { Blocked, Group } from "../prune/groups.js";
import { importances } from "../prune/importance.js";
import { type PrunePlan, planPruning, type PruneWish } from "../prune/prune.js";
import type { Measure } from "../prune/sizes.js";
import { normKeepingRules } from "../rules/index.js";
import { bringToTrainable } from "./distillation/bring-to-trainable.js";
import { computeInFloat32 } from "./float32/in-float32.js";
import { bringToFloat32, bringToNormalForm } from "./normal-form.js";
import { holdsCastWeights } from "./pruning/cast-weights.js";
import { mustStay, notToBeHad } from "./pruning/must-stay.js";
import { lossGradients, mostLossSamples } from "./pruning/loss-gradients.js";
import { mostSamples, reconstruct } from "./pruning/reconstruct.js";
import { simplifyGraph } from "./simplify.js";

const described = {
  keepFlops: optional(
    share,
    "Of the model's multiply-accumulates, this share is left at most; 0.6 where nothing else is wished.",
  ),
  keepParams: optional(share, "Of the model's parameters, this share is left at most."),
  keepChannels: optional(
    share,
    "Of the channels that can be cut, this share is left at most: with scope `layer` of every layer's.",
  ),
  importance: option(
    oneOf(importances),
    "magnitude",
    "What tells which channels matter: the norm of their weights, the scales of batch normalization, how large they are on samples, or by how much the labels' loss changes without them, to first order.",
  ),
  scope: option(
    oneOf(["global", "layer"]),
    "global",
    "Whether channels of all layers compete, or every layer keeps the same share.",
  ),
  multiple: option(
    integer(1, 256),
    16,
    "Channels are left in multiples of this, the most that a processor takes at once; in smaller ones where the share cannot be met otherwise.",
  ),
  reconstruct: option(
    boolean,
    false,
    "Weights that read what was cut are fitted, layer by layer, to give what they gave on samples; labels are not looked at.",
  ),
};

type PruneOptions = OptionsOf<typeof described>;

/**
 * Takes whole channels, neurons and attention heads out of a model, through whatever couples them. The result is the model
 * in which they are zero wherever they are read: what that costs in accuracy is for training to repair.
 */
export const prune = definePass({
  name: "prune",
  summary:
    "take out the channels, neurons and attention heads that matter least, so that less is computed",
  options: described,
  create(options) {
    const wish = wishOf(options);
    return {
      exactness: "lossy",
      runShare: wish.measure === "parameters" ? 1 : 1 - savedTime * (1 - wish.keep),
      ...(options.importance === "activation" && { needs: "activations" as const }),
      ...((options.reconstruct || options.importance === "taylor") && {
        needs: "examples" as const,
        learningRuns: (examples: number) =>
          (options.reconstruct ? runsPerSample * Math.min(examples, mostSamples) : 0) +
          (options.importance === "taylor"
            ? runsPerGradient * Math.min(examples, mostLossSamples)
            : 0),
      }),
      run(graph, context) {
        const examples = options.reconstruct ? examplesIn(context) : undefined;
        return run(graph, { ...wish, importance: options.importance }, context, examples);
      },
    };
  },
});

/** Of the multiplications that are gone, this share of their time is guessed to be. */
const savedTime = 0.8;

/** What fitting is guessed to take: two halves of a run for each of some twenty layers. */
const runsPerSample = 20;
/** A step costs three to five runs. */
const runsPerGradient = 5;

/** @throws PareError DATA_NOT_FOUND */
function examplesIn({ examples }: PassContext): Examples {
  if (examples !== undefined) return examples;
  throw new PareError(
    "DATA_NOT_FOUND",
    "prune.reconstruct fits weights on samples, but there is no data.",
    { where: "prune.reconstruct", hint: "Give data with --data." },
  );
}

async function run(
  graph: Graph,
  wish: PruneWish,
  context: PassContext,
  examples: Examples | undefined,
): Promise<void> {
  await prepare(graph, wish, context, examples !== undefined);
  const whole = graph.fork();
  throwIfAborted(context.signal);
  context.onProgress?.(0, "following channels");
  const gradients =
    wish.importance === "taylor" ? { gradients: lossGradients(graph, context) } : {};
  const plan = await planPruning(graph, { ...wish, ...gradients }, context);
  throwIfAborted(context.signal);
  context.onAccount?.(pruningAccount(graph, plan, wish));
  context.onProgress?.(examples === undefined ? 0.5 : 0.1, "cutting");
  const consumers = consumersOf(graph, plan.axes, plan.cuts);
  if (plan.cuts.length > 0)
    await cutChannels(graph, plan.axes, plan.cuts, (editor) => {
      for (const { group, gone } of plan.cuts)
        editor.note(group.node, keptText(group, gone.length));
    });
  sayWhatIsLeft(graph, plan);
  const [first] = plan.groups;
  if (plan.importance !== wish.importance && first !== undefined)
    graph.leave("prune", first.node, nothingTells(wish.importance, plan.importance));
  if (examples === undefined) return;
  await reconstruct(whole, graph, consumers, examples, {
    ...context,
    onProgress: (fraction, what) => context.onProgress?.(0.1 + 0.9 * fraction, what),
  });
}

/** Samples are looked at in float32 alone, and weights that are cast to it are cut as what they are cast to. */
async function prepare(
  graph: Graph,
  { importance }: PruneWish,
  context: PassContext,
  fits: boolean,
): Promise<void> {
  await bringToNormalForm(graph);
  if (importance === "taylor") return bringToTrainable(graph);
  const measures = importance === "activation" && context.activations !== undefined;
  const inFloats = fits || measures || holdsCastWeights(graph);
  if (importance !== "batch-norm") {
    if (inFloats) await bringToFloat32(graph);
    return;
  }
  if (inFloats) await computeInFloat32(graph);
  // Folded, there would be no scales to look at.
  await simplifyGraph(graph, context, normKeepingRules);
}

function wishOf({
  scope,
  multiple,
  ...options
}: PruneOptions): Wish & { readonly measure: Measure } {
  const wishes = measures.flatMap(([name, measure]) => {
    const keep = options[name];
    return keep === undefined ? [] : [{ keep, name, measure }];
  });
  const [wish = { keep: 0.6, name: "keepFlops", measure: "macs" as const }, other] = wishes;
  if (other !== undefined)
    refuse(
      `prune.${other.name}`,
      `goes with no ${wish.name}`,
      "Say what is to be kept of one of them.",
    );
  return { keep: wish.keep, where: `prune.${wish.name}`, measure: wish.measure, scope, multiple };
}

const measures = [
  ["keepFlops", "macs"],
  ["keepParams", "parameters"],
  ["keepChannels", "channels"],
] as const;

function keptText({ units, width, heads }: Group, gone: number): string {
  return `${units - gone} of ${unitsText(units, width, heads)} kept`;
}

function unitsText(units: number, width: number, heads: boolean): string {
  if (heads) return `${units} heads of ${width} channels`;
  return width === 1 ? `${units} channels` : `${units} sets of ${width} channels`;
}

function sayWhatIsLeft(graph: Graph, { groups, cuts, blocked }: PrunePlan): void {
  const cut = new Set(cuts.map(({ group }) => group));
  for (const group of groups)
    if (!cut.has(group))
      graph.leave(
        "prune",
        group.node,
        `all of its ${unitsText(group.units, group.width, group.heads)} are kept: others matter less`,
      );
  for (const one of blocked) graph.leave("prune", one.node, blockedText(one));
}

function nothingTells(wished: string, taken: string): string {
  return `the importance ${wished} ${notToBeHad}: all channels go by ${taken}`;
}

function blockedText({ channels, of, reason }: Blocked): string {
  const which = channels === of ? "its channels" : `${channels} of its ${of} channels`;
  return `${which} ${mustStay}: ${reason.why}`;
}
