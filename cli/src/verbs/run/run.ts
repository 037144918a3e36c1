import { join, resolve } from "node:path";
import { onnxArtifact, PareError, type TargetName, type Tensors } from "@pare/runtime/format";
import { backendsInNode } from "@pare/bench";
import { findTarget, loadableOn } from "@pare/compiler";
import { formatNpy } from "../../data/npy.js";
import { fitFeeds } from "../../data/fit-feeds.js";
import { tableText } from "../../terminal/words.js";
import { isBundle } from "../../platform/bundle-files.js";
import { writeFileAtomic } from "../../platform/write-file.js";
import { openEngines, parseTargets } from "../../workbench/engines.js";
import { parseShapes, type ShapeOptions } from "../../workbench/shape-options.js";
import { openModel } from "../../workbench/opened-model.js";
import type { Output } from "../../terminal/output.js";
import type { VerbContext } from "../../terminal/verb.js";
import { readInputs } from "./input-files.js";
import { outputFiles } from "./output-files.js";
import { elementsOf, previewOf } from "./printed-tensor.js";
import type { OutputOptions } from "../../terminal/output.js";
import type { Pairs } from "../../terminal/option-values.js";

export interface RunOptions extends OutputOptions, ShapeOptions {
  readonly input?: Pairs;
  readonly preprocess?: string;
  readonly target?: string;
  readonly output?: string;
}

interface Ran {
  readonly engine: string;
  readonly outputs: Tensors;
  /** Of a bundle: the variant, and why. */
  readonly selection: unknown;
}

/** `pare run`: once, on one engine. */
export async function runOnce(
  path: string,
  options: RunOptions,
  context: VerbContext,
): Promise<void> {
  const say = context.output(options);
  try {
    const ran = (await isBundle(path))
      ? await runBundle(path, options, context.signal)
      : await runModel(path, options, context, say);
    await give(ran, options, say);
  } finally {
    say.settle();
  }
}

async function runModel(
  path: string,
  options: RunOptions,
  context: VerbContext,
  say: Output,
): Promise<Ran> {
  const model = await openModel(path, parseShapes(options), context.signal);
  try {
    for (const note of model.notes) say.note(note);
    const feeds = await feedsFor(model.inputs, options);
    const { engines, target } = await firstEngine(options.target);
    try {
      const host = engines.hosts.get(target) ?? engines.reference;
      say.detail(`Runs on ${host.engine}`);
      const given = onnxArtifact((await model.read()).bytes);
      const artifact = await loadableOn(findTarget(target), given, () => model.graph);
      const loaded = await host.load(artifact, { signal: context.signal });
      return {
        engine: host.engine,
        outputs: await host.run(loaded, feeds, { signal: context.signal }),
        selection: null,
      };
    } finally {
      await engines.dispose();
    }
  } finally {
    model.close();
  }
}

async function firstEngine(
  wanted: string | undefined,
): Promise<{ engines: Awaited<ReturnType<typeof openEngines>>; target: TargetName }> {
  const candidates: readonly TargetName[] =
    wanted === undefined ? ["cpu", "wasm"] : parseTargets([wanted]);
  for (const target of candidates) {
    try {
      return { engines: await openEngines([target]), target };
    } catch (error) {
      if (target === candidates.at(-1)) throw error;
    }
  }
  throw new PareError("INTERNAL", "No target was tried.");
}

/** As an app would: chosen, verified and proven by the runtime. */
async function runBundle(path: string, options: RunOptions, signal: AbortSignal): Promise<Ran> {
  // Before onnxruntime-node is loaded, which else has telemetry.
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
  const { load } = await import("@pare/runtime");
  const backends = await backendsInNode();
  const target = options.target === undefined ? undefined : parseTargets([options.target])[0];
  if (target !== undefined && !backends.some((backend) => backend.target === target)) {
    const others = backends.map((backend) => backend.target).join(" or ");
    throw new PareError("ARGUMENT", `A bundle's ${target} variant runs in browsers only.`, {
      where: "--target",
      hint: `Run it on a page, or use --target ${others} here.`,
    });
  }
  const model = await load(resolve(path), { backends, signal, target });
  try {
    const feeds = await feedsFor(model.inputs, options);
    return {
      engine: model.selection.engine,
      outputs: await model.run(feeds, { signal }),
      selection: model.selection,
    };
  } finally {
    await model.dispose();
  }
}

async function feedsFor(
  inputs: Parameters<typeof readInputs>[0],
  options: RunOptions,
): Promise<Tensors> {
  const files = options.input ?? [];
  const feeds = await readInputs(inputs, files, options.preprocess ?? "0..1");
  return fitFeeds(inputs, feeds, files.map(([, file]) => file).join(", ")).feeds;
}

async function give(
  { engine, outputs, selection }: Ran,
  options: RunOptions,
  say: Output,
): Promise<void> {
  const rows: string[][] = [];
  const document = new Map<string, unknown>();
  const files = outputFiles(Object.keys(outputs));
  for (const [name, tensor] of Object.entries(outputs)) {
    const own = files.get(name);
    const file =
      options.output === undefined || own === undefined ? null : join(options.output, own);
    if (file !== null) await writeFileAtomic(file, formatNpy(tensor));
    rows.push([name, `${tensor.type} [${tensor.dims.join(", ")}]`, file ?? previewOf(tensor)]);
    // Whoever reads the table sees the first few: all of them as JavaScript's values take many times the memory.
    if (options.json === true)
      document.set(name, {
        type: tensor.type,
        dims: tensor.dims,
        ...(file === null ? { data: elementsOf(tensor) } : { file }),
      });
  }
  say.result(tableText(rows, new Set([0, 1, 2])), {
    engine,
    selection,
    outputs: Object.fromEntries(document),
  });
}
