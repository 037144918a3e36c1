import { basename, extname, resolve } from "node:path";
import {
  encodeModel,
  type Examples,
  findPass,
  type Graph,
  MeasuredActivations,
  type Step,
} from "@pare/compiler";
import { throwIfAborted } from "@pare/runtime/format";
import { byteText } from "../terminal/words.js";
import { writeFileAtomic } from "../platform/write-file.js";
import { calibrationOn } from "./calibration-samples.js";
import type { OpenedModel } from "./opened-model.js";
import type { Output } from "../terminal/output.js";

/** More than this does not fit into one protobuf file. */
const mostInlineBytes = 1.9e9;

export interface StepsRequest {
  readonly model: OpenedModel;
  readonly steps: readonly Step[];
  /** Absent without data. */
  readonly examples?: Examples | undefined;
  /** Where to; `<model>.<suffix>.onnx` in the current folder where not given. */
  readonly output: string | undefined;
  readonly suffix: string;
  readonly say: Output;
  readonly signal: AbortSignal;
}

/** ONNX in, steps, ONNX out: what `simplify`, `quantize` and `convert` have in common. */
export async function runSteps(request: StepsRequest): Promise<void> {
  const { model, steps, examples, say, signal } = request;
  const { graph } = model;
  const data =
    examples === undefined
      ? {}
      : { examples, activations: new MeasuredActivations(calibrationOn(examples)) };
  const before = facts(graph, model.sizeBytes);
  const main = steps.findIndex(({ use }) => use.startsWith("quantize") || use === "fp16");
  for (const [index, { use, with: options }] of steps.entries()) {
    throwIfAborted(signal);
    const pass = findPass(use);
    const { changes } = graph;
    const entries = graph.journal.length;
    await pass.create(pass.parse(options)).run(graph, {
      signal,
      ...data,
      onProgress: (fraction, what) =>
        say.progress((index + fraction) / steps.length, `${use}: ${what}`),
    });
    const left = graph.journal.slice(entries).filter(({ what }) => what === "left");
    if (graph.changes === changes && index === main) say.note(unchanged(use, left));
    else if (use === "fp16" && left.length > 0) say.note(partial(use, left));
  }
  const file = request.output ?? `${model.name}.${request.suffix}.onnx`;
  const sizeBytes = await writeModel(graph, file, model.sizeBytes, signal);
  const after = facts(graph, sizeBytes);
  for (const { rule, what, op, node, reason } of graph.journal)
    say.detail(`${what === "left" ? "left" : "did"} ${op} ${node}: ${rule}: ${reason}`);
  say.result(
    `Wrote ${file}: ${before.nodes} → ${after.nodes} nodes, ${byteText(before.sizeBytes)} → ${byteText(after.sizeBytes)}, opset ${before.opset} → ${after.opset}.`,
    { file, before, after, journal: graph.journal },
  );
}

/** A step that found nothing to do says why: otherwise its user would believe that it did. */
function unchanged(use: string, left: Graph["journal"]): string {
  const reasons = left.map(({ op, reason }) => `${op}: ${reason}`);
  const [most, ...others] = [...new Set(reasons)].slice(0, 3);
  return `${use} changed nothing${most === undefined ? ": the model has no operator for it" : `: ${[most, ...others].join("; ")}`}.`;
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

interface Facts {
  readonly nodes: number;
  readonly sizeBytes: number;
  readonly opset: number | null;
}

function facts(graph: Graph, sizeBytes: number): Facts {
  return { nodes: [...graph.allNodes()].length, sizeBytes, opset: graph.opset() ?? null };
}

/** Writes the model, and its weights beside it where they do not fit into one file; the model comes last. */
async function writeModel(
  graph: Graph,
  file: string,
  about: number,
  signal: AbortSignal,
): Promise<number> {
  const location = `${basename(file, extname(file))}.data`;
  const { proto, external } = await encodeModel(graph, {
    signal,
    ...(about > mostInlineBytes && { external: { location } }),
  });
  throwIfAborted(signal);
  let size = proto.byteLength;
  for (const [name, bytes] of external) {
    await writeFileAtomic(resolve(file, "..", name), bytes);
    size += bytes.byteLength;
  }
  await writeFileAtomic(file, proto);
  return size;
}
