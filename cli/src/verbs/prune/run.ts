import { engineTargets } from "@pare/bench";
import {
  type Graph,
  importances,
  looksAtSamples,
  mustStay,
  notToBeHad,
  type Step,
} from "@pare/compiler";
import type { TargetName } from "@pare/runtime/format";
import type { OutputOptions } from "../../terminal/output.js";
import { refuse, refuseWithout } from "../../terminal/refuse.js";
import type { VerbContext } from "../../terminal/verb.js";
import { type KeepMetadataOptions, simplifyStep } from "../../workbench/keep-metadata.js";
import type { NoCheckOptions } from "../../workbench/no-check.js";
import { parseTargets } from "../../workbench/engines.js";
import { openModel } from "../../workbench/opened-model.js";
import { parseShapes, type ShapeOptions } from "../../workbench/shape-options.js";
import type { TrainingOptions } from "../../workbench/training/train-with-checkpoints.js";
import {
  checkTeacherOptions,
  type TeacherOptions,
} from "../../workbench/training/training-options.js";
import { cut, cutAndTest } from "./cut.js";
import { keepByLatency, latencyText } from "./keep-latency.js";
import { cutAndRecover } from "./recover.js";
import { workBefore, workOf, workText } from "./work.js";

export interface PruneOptions
  extends
    OutputOptions,
    ShapeOptions,
    KeepMetadataOptions,
    NoCheckOptions,
    TeacherOptions,
    Omit<TrainingOptions, "epochs" | "signals" | keyof TeacherOptions> {
  readonly keepFlops?: number;
  readonly keepParams?: number;
  readonly keepLatency?: number;
  /** Of `keepLatency`. */
  readonly target?: string;
  readonly importance: string;
  readonly perLayer?: boolean;
  readonly multiple: number;
  /** Where not given: with samples at hand, and nothing that is taught. */
  readonly reconstruct?: boolean;
  /** Epochs; nothing is repaired where it is not given. */
  readonly recover?: number;
  readonly data?: string;
  readonly preprocess?: string;
  readonly output?: string;
}

/** `pare prune`: channels taken out, and with `--recover` the rest taught again: ONNX in, ONNX out. */
export async function runPrune(
  path: string,
  given: PruneOptions,
  context: VerbContext,
): Promise<void> {
  const isLeftUntaught = given.data !== undefined && given.recover === undefined;
  const options = { ...given, reconstruct: given.reconstruct ?? isLeftUntaught };
  demandData(options);
  demandOneWish(options);
  const wished = stepsOf(options);
  const target = targetOf(options);
  const say = context.output(options);
  const { signal } = context;
  const model = await openModel(path, parseShapes(options), signal);
  try {
    const before = await workBefore(model.graph);
    if (before.macs === 0 && before.parameters === 0)
      refuse(
        "The model has no weights that multiply: there is nothing to prune.",
        "the model",
        "Trees and what prepares features have none; pare optimize may still make it faster.",
      );
    const { recover: epochs, data, keepLatency, seed } = options;
    const timed =
      keepLatency === undefined
        ? null
        : await keepByLatency({
            model,
            target,
            keep: keepLatency,
            // What looks at samples changes no size, and leaves all in float32.
            stepsFor: (keepFlops) =>
              keepFlops === null
                ? [simplifyStep(options)]
                : [
                    ...stepsOf({ ...options, keepFlops, reconstruct: false }),
                    ...(options.reconstruct || epochs !== undefined ? [{ use: "fp32" }] : []),
                  ],
            seed,
            say,
            signal,
          });
    const steps =
      timed === null ? wished : stepsOf({ ...options, keepFlops: timed.chosen.keepFlops });
    const request = { model, steps, say, signal };
    const pruned =
      data === undefined
        ? await cut(request, options)
        : epochs === undefined
          ? await cutAndTest(request, { ...options, data })
          : await cutAndRecover(request, { ...options, epochs, data });
    const after = workOf(pruned.graph);
    const lines = [pruned.text, workText(before, after, model.graph)];
    if (timed !== null) lines.push(`On ${target} ${latencyText(timed.chosen)}, at most.`);
    lines.push(...leftLines(model.graph, say.verbose));
    if (pruned.next !== null) lines.push(pruned.next);
    say.result(lines.join("\n"), {
      ...pruned.document,
      work: { before, after },
      ...(timed !== null && { latency: { target, ...timed } }),
    });
  } finally {
    say.settle();
    model.close();
  }
}

/** @throws PareError ARGUMENT, before anything is opened */
function demandData({ recover, importance, reconstruct, ...options }: PruneOptions): void {
  if (recover === undefined)
    refuseWithout("--recover", {
      "--batch": options.batch,
      "--rate": options.rate,
      "--workers": options.workers,
      "--recompute": options.recompute,
      "--threads": options.threads,
      "--temperature": options.temperature,
      "--alpha": options.alpha,
      "--signal": options.signal,
      "--labels": options.labels,
      "--labels-of": options.labelsOf,
      "--learn": options.learn,
      "--checkpoint": options.checkpoint,
    });
  checkTeacherOptions(options);
  if (options.data !== undefined) return;
  if (recover !== undefined)
    refuse(
      "--recover needs --data: what was cut is taught on samples.",
      "--recover",
      "Add --data, with or without labels, or leave --recover out.",
    );
  if (looksAtSamples(importance))
    refuse(
      `--importance ${importance} needs --data: ${importance === "taylor" ? "what the loss loses without channels" : "how large channels are"} shows on samples.`,
      "--importance",
      "Add --data, or use --importance magnitude.",
    );
  if (reconstruct === true)
    refuse(
      "--reconstruct needs --data: weights are fitted to samples.",
      "--reconstruct",
      "Add --data, with or without labels, or leave --reconstruct out.",
    );
  if (options.metric !== undefined)
    refuse(
      "--metric needs --data: accuracy shows on samples.",
      "--metric",
      "Add --data, or leave --metric out.",
    );
  if (options.preprocess !== undefined)
    refuse("--preprocess needs --data.", "--preprocess", "Name the folder of images with --data.");
}

function stepsOf(options: PruneOptions): readonly Step[] {
  const { keepFlops, keepParams, importance, perLayer, multiple, reconstruct } = options;
  if (!importances.some((known) => known === importance))
    refuse(
      `There is no importance "${importance}".`,
      "--importance",
      `There are ${importances.join(", ")}.`,
    );
  const step: Step = {
    use: "prune",
    with: {
      ...(keepFlops !== undefined && { keepFlops }),
      ...(keepParams !== undefined && { keepParams }),
      importance,
      scope: perLayer === true ? "layer" : "global",
      multiple,
      ...(reconstruct === true && { reconstruct }),
    },
  };
  const simplify = simplifyStep(options);
  // Simplifying folds batch normalization away, and with it what is to be looked at.
  return importance === "batch-norm" ? [step, simplify] : [simplify, step];
}

/** @throws PareError ARGUMENT, before anything is opened */
function demandOneWish({ keepFlops, keepParams, keepLatency, importance }: PruneOptions): void {
  if (keepFlops !== undefined && keepParams !== undefined)
    refuse(
      "--keep-flops and --keep-params do not go together.",
      "--keep-params",
      "Say what is to be left of one of them.",
    );
  if (keepLatency === undefined) return;
  if (keepFlops !== undefined || keepParams !== undefined)
    refuse(
      "--keep-latency goes with no other share.",
      "--keep-latency",
      "Say what is to be left of one of them.",
    );
  if (looksAtSamples(importance))
    refuse(
      `--keep-latency and --importance ${importance} do not go together: shares are timed before samples are read.`,
      "--importance",
      "Go by magnitude or by batch-norm.",
    );
}

/** @throws PareError ARGUMENT, before anything is opened */
function targetOf({ target: named, keepLatency }: PruneOptions): TargetName {
  if (keepLatency === undefined) refuseWithout("--keep-latency", { "--target": named });
  const [target = "cpu"] = parseTargets([named ?? "cpu"]);
  if (keepLatency !== undefined && !engineTargets.includes(target))
    refuse(
      `--keep-latency is not timed on ${target}.`,
      "--target",
      `Name one of ${engineTargets.join(", ")}.`,
    );
  return target;
}

/** Why layers kept channels, and with `verbose` which; that others mattered less is for a reader of details. */
function leftLines({ journal }: Graph, verbose: boolean): readonly string[] {
  const nodes = new Map<string, string[]>();
  for (const { rule, what, op, node, reason } of journal) {
    const isForAll = [mustStay, notToBeHad].some((words) => reason.includes(words));
    if (rule !== "prune" || what !== "left" || !(verbose || isForAll)) continue;
    const said = `${op}: ${reason}`;
    nodes.set(said, [...(nodes.get(said) ?? []), node]);
  }
  return [...nodes]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([reason, labels]) => {
      const which = verbose ? ` (${labels.join(", ")})` : "";
      return `Left ${labels.length === 1 ? "" : `${labels.length} × `}${reason}${which}.`;
    });
}
