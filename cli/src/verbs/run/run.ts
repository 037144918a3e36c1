import { join, resolve } from "node:path";
import {
  isPareError,
  onnxArtifact,
  PareError,
  type TargetName,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import { backendsInNode } from "@pare/bench";
import { findTarget, loadableOn } from "@pare/compiler";
import type { Model } from "@pare/runtime";
import { formatNpy } from "../../data/npy.js";
import { fitFeeds } from "../../data/fit-feeds.js";
import { tableText } from "../../terminal/words.js";
import { isBundle, readManifest } from "../../platform/bundle-files.js";
import { writeFileAtomic } from "../../platform/write-file.js";
import { type Engines, openEngines, parseTargets } from "../../workbench/engines.js";
import { parseShapes, refuseOfBundle, type ShapeOptions } from "../../workbench/shape-options.js";
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
      ? await runBundle(path, options, context.signal, say)
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
    const feeds = await feedsFor(model.inputs, options, say);
    const { engines, target } = await firstEngine(options.target, say, context.signal);
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

/** The one that was asked for; else the native one, or where that does not run WebAssembly, which is said. */
async function firstEngine(
  wanted: string | undefined,
  say: Output,
  signal: AbortSignal,
): Promise<{ engines: Engines; target: TargetName }> {
  const [asked] = wanted === undefined ? [] : parseTargets([wanted]);
  const target = asked ?? "cpu";
  try {
    return { engines: await openEngines([target], { signal }), target };
  } catch (error) {
    throwIfAborted(signal);
    if (asked !== undefined || !isPareError(error)) throw error;
    say.note(`It runs on wasm: ${error.message}`);
    return { engines: await openEngines(["wasm"], { signal }), target: "wasm" };
  }
}

/** As an app would: chosen, verified and proven by the runtime. */
async function runBundle(
  path: string,
  options: RunOptions,
  signal: AbortSignal,
  say: Output,
): Promise<Ran> {
  refuseOfBundle(options);
  // Before onnxruntime-node is loaded, which else has telemetry.
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
  const { load } = await import("@pare/runtime");
  const backends = await backendsInNode();
  const target = options.target === undefined ? undefined : parseTargets([options.target])[0];
  if (target !== undefined && !backends.some((backend) => backend.target === target)) {
    const has = new Set((await readManifest(path)).variants.map((variant) => variant.target));
    const others = backends.flatMap((backend) => (has.has(backend.target) ? [backend.target] : []));
    const here = others.length === 0 ? "" : `, or use --target ${others.join(" or ")} here`;
    throw new PareError("ARGUMENT", `A bundle's ${target} variant runs in browsers only.`, {
      where: "--target",
      hint: has.has(target) ? `Run it on a page${here}.` : `It has ${[...has].join(", ")}.`,
    });
  }
  const model = await load(resolve(path), { backends, signal, target });
  for (const { variant, ok, reason } of model.selection.tried)
    if (variant !== null && !ok) say.note(`The variant ${variant} is passed over: ${reason}`);
  try {
    return await runLoaded(model, options, signal, say);
  } catch (error) {
    // What is compiled takes the sizes that it was compiled for, and an engine may take others.
    const others = backends.filter((backend) => backend.target !== model.selection.target);
    if (target !== undefined || !isPareError(error) || !ofInputs.has(error.code)) throw error;
    const other = await load(resolve(path), { backends: others, signal }).catch(() => null);
    throwIfAborted(signal);
    if (other === null) throw error;
    say.note(`${model.selection.target} does not take it: ${error.message}`);
    try {
      return await runLoaded(other, options, signal, say);
    } finally {
      await other.dispose();
    }
  } finally {
    await model.dispose();
  }
}

const ofInputs: ReadonlySet<string> = new Set(["INPUT", "DATA_MISMATCH"]);

async function runLoaded(
  model: Model,
  options: RunOptions,
  signal: AbortSignal,
  say: Output,
): Promise<Ran> {
  const { selection } = model;
  const feeds = await feedsFor(model.inputs, options, say, false);
  return { engine: selection.engine, outputs: await model.run(feeds, { signal }), selection };
}

async function feedsFor(
  inputs: Parameters<typeof readInputs>[0],
  options: RunOptions,
  say: Output,
  canResize = true,
): Promise<Tensors> {
  const files = options.input ?? [];
  const feeds = await readInputs(inputs, files, options.preprocess, (text) => say.note(text));
  return fitFeeds(inputs, feeds, files.map(([, file]) => file).join(", "), canResize).feeds;
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
