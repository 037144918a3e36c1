import { findTarget } from "@pare/compiler";
import {
  type Contender,
  type ContestRow,
  type ContestState,
  runContest,
  VisitedBrowser,
} from "@pare/bench";
import {
  isPareError,
  PareError,
  type SizeBytes,
  type TargetName,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import { openAddress } from "../../platform/open-address.js";
import type { WorkOutput } from "../../terminal/output.js";
import type { VerbContext } from "../../terminal/verb.js";
import { byteText, millisecondText, tableText } from "../../terminal/words.js";
import { artifactsOf } from "../../workbench/artifacts.js";
import { parseTargets } from "../../workbench/engines.js";
import { openModel } from "../../workbench/opened-model.js";
import { parseShapes } from "../../workbench/shape-options.js";
import { noiseOf } from "../../workbench/noise-of.js";
import { guessedText, syntheticSamples } from "../../workbench/synthetic-samples.js";
import { fittingSize } from "../../workbench/fitting-size.js";
import type { BenchOptions } from "./run.js";

/** What one page can load side by side. */
const openable: readonly TargetName[] = ["wasm", "aot"];
/** Inputs that are run in turns. */
const feedCount = 4;

/** What goes with `--open`; all else asks for engines that are driven from here, or for data. */
const together = new Set([
  "open",
  "target",
  "shape",
  "dim",
  "const",
  "seed",
  "json",
  "quiet",
  "verbose",
]);

/** `pare bench --open`: one model on several engines side by side, in whatever browser opens the page. */
export async function runOpen(
  path: string,
  others: readonly string[],
  options: BenchOptions,
  context: VerbContext,
): Promise<void> {
  const output = context.output(options);
  const { signal } = context;
  const targets = checked(others, options);
  const model = await openModel(path, parseShapes(options), signal);
  const browser = await VisitedBrowser.start();
  try {
    const artifactFor = artifactsOf(model);
    const contenders: Contender[] = [];
    for (const target of targets) contenders.push({ target, artifact: await artifactFor(target) });
    for (const target of targets) {
      const settled = findTarget(target).assumption?.(model.graph);
      if (settled !== undefined) output.note(`${target}: ${settled}`);
    }
    const usual = await fittingSize(model.graph, model.inputs);
    const guessed = guessedText(model.inputs, {}, usual);
    if (guessed !== null) output.note(guessed);
    const samples = syntheticSamples(model.inputs, options.seed, {
      usual,
      noise: noiseOf(model.graph),
    });
    const { feeds: first } = await samples.sample(0);
    const feeds: [Tensors, ...Tensors[]] = [first];
    for (let index = 1; index < feedCount; index += 1)
      feeds.push((await samples.sample(index)).feeds);
    await announce(browser.address, output, options.quiet === true);
    const fileSizes = new Map<string, Promise<SizeBytes>>();
    let isFirst = true;
    for (;;) {
      const visit = await browser.nextVisit(signal);
      if (visit === null) break;
      try {
        const { model: name, seed } = { model: model.path, seed: options.seed };
        const onState = told(output);
        const request = { model: name, contenders, feeds, seed, signal, fileSizes, onState };
        const state = await runContest(visit, request);
        if (isFirst) output.result(contestText(state), documentOf(state));
        else output.note(contestText(state));
        isFirst = false;
        output.note("Reload the page to measure again; end with Ctrl-C.");
      } catch (error) {
        if (!visit.isOver || !isPareError(error)) throw error;
        output.note(`The page is gone. Open it again: ${browser.address}`);
      }
    }
    if (isFirst) throwIfAborted(signal);
  } finally {
    await browser.dispose();
    model.close();
  }
}

/** @throws PareError ARGUMENT */
function checked(others: readonly string[], options: BenchOptions): readonly TargetName[] {
  const [unfit] = Object.entries(options).flatMap(([name, value]) =>
    together.has(name) || value === undefined ? [] : [`--${name.replace(/[A-Z]/g, dashed)}`],
  );
  const what = others.length > 0 ? "a candidate" : unfit;
  if (what !== undefined)
    throw new PareError("ARGUMENT", `--open does not go with ${what}.`, {
      where: "--open",
      hint: "It times one model on made-up inputs in your browser: leave the other out.",
    });
  const targets = options.target === undefined ? openable : parseTargets(options.target);
  const strange = targets.find((target) => !openable.includes(target));
  if (strange !== undefined)
    throw new PareError("ARGUMENT", `--open does not time ${strange}.`, {
      where: "--target",
      hint: `It times ${openable.join(" and ")}, side by side on one thread.`,
    });
  // The engine first, whatever the order: ratios are to it.
  return openable.filter((target) => targets.includes(target));
}

function dashed(letter: string): string {
  return `-${letter.toLowerCase()}`;
}

/** @throws PareError ARGUMENT where nobody would come: no browser opens, and nobody is told the address */
async function announce(address: string, output: WorkOutput, isQuiet: boolean): Promise<void> {
  const opened = await openAddress(address);
  if (!opened && isQuiet)
    throw new PareError(
      "ARGUMENT",
      "No browser opens by itself here, and --quiet hides the page's address.",
      {
        where: "--quiet",
        hint: "Leave it out, and open the page by hand.",
      },
    );
  output.note(
    opened
      ? `Opened in your browser: ${address}`
      : `Open this page in a browser of this machine: ${address}`,
  );
}

/** Says each phase once, and figures as they come. */
function told(output: WorkOutput): (state: ContestState) => void {
  let said = "";
  return ({ browser, phase }) => {
    if (phase === said) return;
    if (said === "") output.note(`Measuring in ${browser}.`);
    said = phase;
    output.note(phase);
  };
}

function contestText({ model, browser, rows }: ContestState): string {
  const head = ["", "download, brotli", "gzip", "start-up", "a run", ""];
  const table = tableText([head, ...rows.map(rowTexts)], new Set([0, 5]));
  return [`${model} in ${browser}, on one thread`, "", table, ...compared(rows)].join("\n");
}

function rowTexts(row: ContestRow): readonly string[] {
  const { target, downloadBytes, startupMs, latencyMs, failure } = row;
  return [
    target,
    downloadBytes === null ? "–" : byteText(downloadBytes.brotli),
    downloadBytes === null ? "–" : byteText(downloadBytes.gzip),
    startupMs === null ? "–" : millisecondText(startupMs),
    latencyMs === null ? "–" : millisecondText(latencyMs.p50),
    failure ?? "",
  ];
}

/** What the second is to the first. */
function compared([engine, own]: readonly ContestRow[]): readonly string[] {
  if (engine === undefined || own === undefined) return [];
  const times = (of: (row: ContestRow) => number | undefined): string | undefined => {
    const [before, after] = [of(engine), of(own)];
    return before === undefined || after === undefined || after === 0
      ? undefined
      : `${(before / after).toPrecision(3)}×`;
  };
  const smaller = times(({ downloadBytes }) => downloadBytes?.brotli);
  const sooner = times(({ startupMs }) => startupMs ?? undefined);
  const faster = times(({ latencyMs }) => latencyMs?.p50);
  if (smaller === undefined || sooner === undefined || faster === undefined) return [];
  const parts = `${smaller} in download, ${sooner} in start-up, ${faster} in a run`;
  return ["", `${engine.target} to ${own.target}: ${parts}.`];
}

function documentOf({ model, browser, rows }: ContestState): unknown {
  return { model, browser, threads: 1, rows };
}
