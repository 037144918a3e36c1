import { resolve } from "node:path";
import {
  assembleBundle,
  countMacs,
  countParameters,
  type Lock,
  optimize,
  type Optimized,
  type OptimizeRequest,
  reportOf,
} from "@pare/compiler";
import { createMeasure } from "@pare/bench";
import { goldenInputs, PareError, type Report, throwIfAborted } from "@pare/runtime/format";
import { openData, type OpenData } from "../data/open-data.js";
import { folderSink } from "../platform/write-bundle.js";
import {
  type Engines,
  environment,
  measuredOn,
  openEngines,
  parseTargets,
} from "../prepare/engines.js";
import { calibrationOf, type Material, material, splitHashes } from "../prepare/material.js";
import { loadLock, loadRecipe } from "../prepare/recipe.js";
import { parseShapes } from "../prepare/shape-options.js";
import { openSubject, type Subject } from "../prepare/subject.js";
import { guessedDims, guessedText } from "../prepare/synthetic-samples.js";
import type { Output } from "../program/output.js";
import type { VerbContext } from "../program/verb.js";
import { version } from "../program/version.js";
import { nextStep } from "../report/next-step.js";
import { bundleReports, checkReportFormats, writeReports } from "../report/report-files.js";
import { summaryText } from "../report/summary.js";
import type { OptimizeOptions } from "../verbs/optimize.js";

/** `pare optimize`: data, engines and measure handed to the compiler; bundle, reports and a summary made of what it decides. */
export async function runOptimize(
  path: string,
  options: OptimizeOptions,
  context: VerbContext,
): Promise<void> {
  const output = context.output(options);
  const { signal } = context;
  checkOptions(options);
  const lock = options.frozen === undefined ? null : await loadLock(options.frozen);
  const recipe = await loadRecipe(lock?.recipe ?? options.recipe);
  const targets = parseTargets(options.target ?? lock?.targets.map(({ target }) => target));
  const seed = lock?.seed ?? options.seed;
  const opened: Opened = {};
  try {
    const shapes = parseShapes(options);
    const subject = (opened.subject = await openSubject(path, shapes, signal));
    if (options.data !== undefined) {
      opened.data = await openData(options.data, {
        inputs: subject.inputs,
        seed,
        signal,
        ...(options.preprocess !== undefined && { preprocess: options.preprocess }),
        onProgress: (done, count) =>
          output.progress(count === null ? 0 : done / count, `reading samples: ${done}`),
        onPrint: (text) => output.detail(text),
      });
    }
    output.progress(0, "starting engines");
    const engines = (opened.engines = await openEngines(targets));
    for (const note of engines.notes) output.note(note);
    for (const { target, reason } of engines.skipped) output.note(`skipped ${target}: ${reason}`);
    throwIfAborted(signal);
    const data = opened.data ?? null;
    const guessed = data === null ? guessedText(subject.inputs) : null;
    if (guessed !== null) output.note(guessed);
    const stuff = await material(subject, data, options.metric, seed, engines.reference);
    const calibration = calibrationOf(stuff, engines.reference);
    let progressed = 0;
    const request: OptimizeRequest = {
      graph: subject.graph,
      original: subject.bytes,
      originalSha256: subject.sha256,
      recipe,
      devices: engines.devices,
      evidence: stuff.evidence,
      ...(calibration !== undefined && { calibration }),
      measure: createMeasure({
        hosts: engines.hosts,
        samples: stuff.samples,
        splits: stuff.splits,
        scorer: stuff.scorer,
        seed,
        onProgress: ({ target, phase, done, total }) =>
          output.progress(progressed, `${target}: ${phase}${total > 1 ? ` ${done}/${total}` : ""}`),
      }),
      budget: {
        maxDrop: options.maxDrop ?? lock?.maxDrop ?? 0.01,
        ...(options.maxSize !== undefined && { maxSizeBytes: options.maxSize }),
        ...(options.maxLatency !== undefined && { maxLatencyMs: options.maxLatency }),
        prefer: options.prefer === "size" ? "size" : "latency",
        timeBudgetMs: options.timeBudget,
      },
      seed,
      splits: await splitHashes(data),
      shapes: shapes.shapes,
      constants: lockedConstants(shapes.constants),
      ...(lock !== null && { frozen: lock }),
      compiler: `pare ${version()}`,
      signal,
      onProgress: (fraction, what) => output.progress((progressed = fraction), what),
      onTarget: async (done) => void (opened.best = done),
    };
    const write = new BundleWriter(
      subject,
      engines,
      stuff,
      request,
      context.typed,
      options,
      output,
    );
    const optimized = await optimize(request).catch(async (error: unknown) => {
      // Ctrl-C: what is complete so far is kept.
      if (signal.aborted && opened.best !== undefined && opened.best.variants.length > 0) {
        const kept = await write.bundle(opened.best);
        output.note(
          `Stopped. ${kept.folder} holds what was complete: ${opened.best.variants.map(({ target }) => target).join(", ")}.`,
        );
      }
      throw error;
    });
    const { folder, report } = await write.bundle(optimized);
    await writeReports(report, options.report, output);
    const lines = [
      summaryText(report),
      `Wrote ${folder}${report.variants.length > 0 ? "; open report.html in it for the whole picture." : "."}`,
    ];
    if (optimized.missed.length > 0)
      lines.push(...optimized.missed.map((missed) => `missed: ${missed}`));
    output.result(lines.join("\n\n"), { ...report, bundle: folder, missed: optimized.missed });
    if (optimized.missed.length > 0) context.exit(3);
  } finally {
    output.settle();
    await opened.data?.dispose();
    await opened.engines?.dispose();
    opened.subject?.close();
  }
}

interface Opened {
  subject?: Subject;
  data?: OpenData;
  engines?: Engines;
  best?: Optimized;
}

function checkOptions(options: OptimizeOptions): void {
  if (options.maxDrop !== undefined && options.data === undefined && options.frozen === undefined) {
    throw new PareError(
      "ARGUMENT",
      "--max-drop needs --data: without data no drop can be measured.",
      { where: "--max-drop", hint: "Add --data, or leave --max-drop out." },
    );
  }
  if (options.prefer !== "latency" && options.prefer !== "size") {
    throw new PareError("ARGUMENT", `--prefer is "${options.prefer}".`, {
      where: "--prefer",
      hint: "Say latency or size.",
    });
  }
  if (options.preprocess !== undefined && options.data === undefined) {
    throw new PareError("ARGUMENT", "--preprocess needs --data.", {
      where: "--preprocess",
      hint: "Name the folder of images with --data.",
    });
  }
  checkReportFormats(options.report);
}

function lockedConstants(
  constants: ReturnType<typeof parseShapes>["constants"],
): Lock["constants"] {
  return Object.fromEntries(
    Object.entries(constants).map(([name, value]) => [name, JSON.stringify(value)]),
  );
}

/** Puts what was decided into a folder: variants, manifest, golden check, lock and reports. */
class BundleWriter {
  readonly #subject: Subject;
  readonly #engines: Engines;
  readonly #material: Material;
  readonly #request: OptimizeRequest;
  readonly #typed: string;
  readonly #options: OptimizeOptions;
  readonly #output: Output;

  constructor(
    subject: Subject,
    engines: Engines,
    stuff: Material,
    request: OptimizeRequest,
    typed: string,
    options: OptimizeOptions,
    output: Output,
  ) {
    this.#subject = subject;
    this.#engines = engines;
    this.#material = stuff;
    this.#request = request;
    this.#typed = typed;
    this.#options = options;
    this.#output = output;
  }

  async bundle(optimized: Optimized): Promise<{ folder: string; report: Report }> {
    const { name, inputs, outputs, graph, sha256, sizeBytes } = this.#subject;
    const report = this.#report(optimized);
    this.#output.progress(1, "writing the bundle");
    const dims = Object.fromEntries(
      inputs.map((info) => [
        info.name,
        { dims: this.#material.shapes[info.name] ?? guessedDims(info) },
      ]),
    );
    const files = await assembleBundle({
      name,
      optimized,
      devices: this.#engines.devices,
      inputs,
      outputs,
      golden: goldenInputs(inputs, this.#request.seed, dims),
      seed: this.#request.seed,
      source: {
        bytes: sizeBytes,
        sha256,
        parameters: countParameters(graph),
        macs: countMacs(graph),
      },
      createdBy: `pare ${version()}`,
      measuredOn: measuredOn(),
      extra: {
        "pare.lock.json": `${JSON.stringify(optimized.lock, null, 2)}\n`,
        ...bundleReports(report),
      },
    });
    const folder = this.#options.output ?? `${name}.pare`;
    await folderSink(resolve(folder)).write(files);
    return { folder, report };
  }

  #report(optimized: Optimized): Report {
    const { inputs, path } = this.#subject;
    const report = reportOf(this.#request, optimized, {
      model: path,
      command: this.#typed,
      createdAt: new Date().toISOString(),
      environment: environment(this.#engines),
      shapes: this.#material.shapes,
      data: this.#material.report,
      disagreements: [],
      nextStep: nextStep(inputs, this.#material, optimized),
    });
    return { ...report, skipped: [...this.#engines.skipped, ...report.skipped] };
  }
}
