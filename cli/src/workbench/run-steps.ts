import { basename, extname, resolve } from "node:path";
import type { EngineHost } from "@pare/bench";
import {
  encodeModel,
  type Examples,
  type Graph,
  inEngineOpset,
  MeasuredActivations,
  passes,
  randomOf,
  runStep,
  type Step,
} from "@pare/compiler";
import { throwIfAborted } from "@pare/runtime/format";
import { byteText } from "../terminal/words.js";
import { writeFileAtomic } from "../platform/write-file.js";
import { calibrationOn } from "./calibration-samples.js";
import { checkText, type EngineCheck, EngineChecker, notChecked } from "./engine-check.js";
import type { OpenedModel } from "./opened-model.js";
import { floatBetweenIntegersText } from "./float-between-integers.js";
import { floatWeights, stayedFloatText } from "./stayed-float.js";
import type { Output } from "../terminal/output.js";

/** More than this does not fit into one protobuf file. */
const mostInlineBytes = 1.9e9;

export interface StepsRequest {
  readonly model: OpenedModel;
  readonly steps: readonly Step[];
  /** What is said of it before the steps, where others went before them; else it is looked at. */
  readonly before?: ModelFacts;
  /** Absent without data. */
  readonly examples?: Examples | undefined;
  /** Absent where the data has none for training alone. */
  readonly training?: Examples | undefined;
  /** Of all that is random; 0 where not given. */
  readonly seed?: number;
  /** Where to; `<model>.<suffix>.onnx` in the current folder where not given, without a suffix `<model>.onnx`. */
  readonly output: string | undefined;
  readonly suffix: string | null;
  /** Whether the CPU engine is asked before anything is written. */
  readonly check: boolean;
  /** An engine that is open: where it is the CPU's, it is the one that is asked. */
  readonly host?: EngineHost | undefined;
  readonly say: Output;
  readonly signal: AbortSignal;
}

/** What was written, for a reader and as data. */
export interface Written {
  readonly text: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * ONNX in, steps, ONNX out: what `simplify`, `prune`, `quantize` and `convert` have in common.
 * @throws PareError PASS_FAILED when the engine takes the model and not what was made of it; nothing is written then
 */
export async function runSteps(request: StepsRequest): Promise<void> {
  const { text, document } = await writeSteps(request);
  request.say.result(text, document);
}

/** As `runSteps`, for who has more to say. */
export async function writeSteps(request: StepsRequest): Promise<Written> {
  const { model, say } = request;
  const checker = request.check ? new EngineChecker(request.host) : null;
  try {
    for (const note of model.notes) say.note(note);
    const before = request.before ?? factsOf(model);
    await applySteps(request);
    const ending = request.suffix === null ? "" : `.${request.suffix}`;
    const file = request.output ?? `${model.name}${ending}.onnx`;
    // Who asked for an opset has it.
    const isAsked = request.steps.some(({ use }) => use === "lower-opset");
    const graph = isAsked ? model.graph : inEngineOpset(model.graph);
    const { sizeBytes, check } = await writeModel(request, graph, checker, file);
    const after = factsOf({ graph, sizeBytes });
    const { journal } = model.graph;
    const step = request.steps.find(({ use }) => use.startsWith("quantize"))?.use;
    const float = step === undefined ? [] : floatWeights(model.graph, step);
    const stayed = stayedFloatText(float, request.steps, file, sizeBytes);
    if (stayed !== null) say.note(stayed);
    const between = step === "quantize-static" ? floatBetweenIntegersText(model.graph) : null;
    if (between !== null) say.note(between);
    for (const { rule, what, op, node, reason } of journal)
      say.detail(`${what === "left" ? "left" : "did"} ${op} ${node}: ${rule}: ${reason}`);
    return {
      text: `Wrote ${file}: ${before.nodes} → ${after.nodes} nodes, ${byteText(before.sizeBytes)} → ${byteText(after.sizeBytes)}, opset ${before.opset} → ${after.opset}; ${checkText(check)}.`,
      document: {
        file,
        before,
        after,
        check,
        ...(step !== undefined && { floatWeights: float }),
        journal,
      },
    };
  } finally {
    await checker?.dispose();
  }
}

/** The steps alone, on the model's graph: nothing is checked or written. */
export async function applySteps(
  request: Pick<
    StepsRequest,
    "model" | "steps" | "examples" | "training" | "seed" | "say" | "signal"
  >,
): Promise<void> {
  const { model, steps, examples, training, seed = 0, say, signal } = request;
  const { graph } = model;
  const data =
    examples === undefined
      ? {}
      : {
          examples,
          teacher: graph.fork(),
          activations: new MeasuredActivations(calibrationOn(examples)),
        };
  const main = steps.findIndex(({ use }) => use.startsWith("quantize") || use === "fp16");
  let idle: Idle | null = null;
  for (const [index, step] of steps.entries()) {
    const { use } = step;
    const context = {
      signal,
      ...data,
      ...(training !== undefined && { training }),
      random: (name: string) => randomOf(seed, name),
      onProgress: (fraction: number, what: string) =>
        say.progress((index + fraction) / steps.length, `${use}: ${what}`),
    };
    const { changed, journal } = await runStep(graph, step, context, passes);
    const left = journal.filter(({ what }) => what === "left");
    if (!changed && index === main) idle = { use, left };
    else if (changed && idle !== null) {
      say.note(insteadOf(idle, use));
      idle = null;
    }
    if (use === "fp16" && changed && left.length > 0) say.note(partial(use, left));
    const random = left.filter(({ op }) => op === "Dropout");
    if (random.length > 0) say.note(partial(use, random));
  }
  if (idle !== null) say.note(unchanged(idle));
}

/** A step that found nothing to do, and what it left. */
interface Idle {
  readonly use: string;
  readonly left: Graph["journal"];
}

/** A step that found nothing to do says why: otherwise its user would believe that it did. */
function unchanged({ use, left }: Idle): string {
  return `${use} changed nothing: ${reasonsIn(left)}.`;
}

function insteadOf({ use, left }: Idle, other: string): string {
  return `${use} found no layer for it (${reasonsIn(left)}); ${other} changed the model instead.`;
}

function reasonsIn(left: Graph["journal"]): string {
  const reasons = new Set(left.map(({ op, reason }) => `${op}: ${reason}`));
  return [...reasons].slice(0, 3).join("; ") || "the model has no operator for it";
}

/** What a step left of a model that is to be all of one type. */
function partial(use: string, left: Graph["journal"]): string {
  const counts = new Map<string, number>();
  for (const { op, reason } of left)
    counts.set(`${op}: ${reason}`, (counts.get(`${op}: ${reason}`) ?? 0) + 1);
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, 3);
  const said = most.map(([reason, count]) => (count === 1 ? reason : `${count} × ${reason}`));
  const more = counts.size > most.length ? "; …" : "";
  return `${use} left ${left.length} of the model's nodes as they were: ${said.join("; ")}${more}.`;
}

/** How large a model is. */
export interface ModelFacts {
  readonly nodes: number;
  readonly sizeBytes: number;
  readonly opset: number | null;
}

export function factsOf({
  graph,
  sizeBytes,
}: Pick<OpenedModel, "graph" | "sizeBytes">): ModelFacts {
  return { nodes: [...graph.allNodes()].length, sizeBytes, opset: graph.opset() ?? null };
}

/** Writes the model, and its weights beside it where they do not fit into one file; the model comes last. */
async function writeModel(
  { model, say, signal }: StepsRequest,
  graph: Graph,
  checker: EngineChecker | null,
  file: string,
): Promise<{ readonly sizeBytes: number; readonly check: EngineCheck }> {
  const location = `${basename(file, extname(file))}.data`;
  const { proto, external } = await encodeModel(graph, {
    signal,
    external: { location, beyond: mostInlineBytes },
  });
  throwIfAborted(signal);
  say.progress(1, "checking on the CPU engine");
  const check =
    checker === null
      ? notChecked("--no-check")
      : external.size > 0
        ? notChecked("it takes more than one file")
        : await checker.check(model, proto, signal);
  let sizeBytes = proto.byteLength;
  for (const [name, { size, content }] of external) {
    await writeFileAtomic(resolve(file, "..", name), content());
    sizeBytes += size;
  }
  await writeFileAtomic(file, proto);
  return { sizeBytes, check };
}
