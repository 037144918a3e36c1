import { readFile } from "node:fs/promises";
import {
  type Artifact,
  isPareError,
  messageOf,
  type SizeBytes,
  type TargetName,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import { EngineHost } from "../engines/host.js";
import { measureLatency } from "../measure/latency.js";
import { sizeOf } from "../measure/size.js";
import { finalLimits } from "../measure/whole.js";
import { median } from "../statistics/quantile.js";
import type { ContestRow, ContestState } from "./state.js";
import { pageGone, type Visit } from "./visited-browser.js";

/** A model as one target loads it. */
export interface Contender {
  readonly target: TargetName;
  readonly artifact: Artifact;
}

export interface ContestRequest {
  /** As reports name it. */
  readonly model: string;
  /** Of different formats; ratios are to the first. */
  readonly contenders: readonly Contender[];
  /** What is run, in turns. */
  readonly feeds: readonly [Tensors, ...Tensors[]];
  readonly seed: number;
  readonly signal: AbortSignal;
  /** What files come to, kept by the caller from one page to the next: the engine's are large. */
  readonly fileSizes: Map<string, Promise<SizeBytes>>;
  /** Told whenever there is more to show. */
  readonly onState: (state: ContestState) => void;
}

/** Cold starts of each, in turns: the median counts. */
const starts = 3;

/**
 * Measures contenders side by side on a page: start-up, download, then the time of a run, all on one thread. What a
 * target cannot do stands in its row.
 * @throws PareError ABORTED, ENGINE_CRASHED where the page is gone
 */
export async function runContest(visit: Visit, request: ContestRequest): Promise<ContestState> {
  return new Contest(visit, request).run();
}

class Contest {
  readonly #visit: Visit;
  readonly #request: ContestRequest;
  #state: ContestState;

  constructor(visit: Visit, request: ContestRequest) {
    this.#visit = visit;
    this.#request = request;
    const rows = request.contenders.map(({ target }): ContestRow => ({
      target,
      engine: null,
      downloadBytes: null,
      startupMs: null,
      latencyMs: null,
      failure: null,
    }));
    const { browser } = visit;
    this.#state = { model: request.model, browser, phase: "Starting.", isOver: false, rows };
  }

  async run(): Promise<ContestState> {
    const engineFiles = await this.#starts();
    await this.#sizes(engineFiles);
    await this.#times();
    this.#show({ phase: "Done.", isOver: true });
    return this.#state;
  }

  /** @returns the files of each target's engine */
  async #starts(): Promise<ReadonlyMap<TargetName, readonly string[]>> {
    const files = new Map<TargetName, readonly string[]>();
    const times = new Map<TargetName, number[]>();
    for (let round = 0; round < starts; round += 1)
      for (const { target, artifact } of this.#standing()) {
        this.#begin(`Starting ${target}, ${round + 1} of ${starts}.`);
        this.#visit.servedFiles();
        await this.#attempt(target, async () => {
          const { engine, startupMs } = await this.#coldStart(target, artifact);
          files.set(target, this.#visit.servedFiles());
          const all = [...(times.get(target) ?? []), startupMs];
          times.set(target, all);
          this.#row(target, { engine, startupMs: median(all) });
        });
      }
    return files;
  }

  async #coldStart(
    target: TargetName,
    artifact: Artifact,
  ): Promise<{ readonly engine: string; readonly startupMs: number }> {
    const { signal, feeds } = this.#request;
    const host = await EngineHost.start(target, () => this.#visit.openChannel([target]));
    try {
      const { startupMs } = await host.coldStart(artifact, feeds[0], { signal });
      return { engine: host.engine, startupMs };
    } finally {
      await host.dispose();
    }
  }

  async #sizes(engineFiles: ReadonlyMap<TargetName, readonly string[]>): Promise<void> {
    for (const { target, artifact } of this.#standing()) {
      this.#begin("Compressing what is downloaded.");
      const files = engineFiles.get(target) ?? [];
      const engine = await Promise.all(files.map((path) => this.#sizeOfFile(path)));
      this.#row(target, { downloadBytes: summed([await sizeOf(artifact), ...engine]) });
    }
  }

  #sizeOfFile(path: string): Promise<SizeBytes> {
    const { fileSizes } = this.#request;
    const size = fileSizes.get(path) ?? sizeOfFile(path);
    fileSizes.set(path, size);
    return size;
  }

  /** All in one worker, where they take turns. */
  async #times(): Promise<void> {
    const { signal, feeds, seed } = this.#request;
    const standing = this.#standing();
    const [first] = standing;
    if (first === undefined) return;
    this.#begin("Timing runs.");
    const targets = standing.map(({ target }) => target);
    const host = await EngineHost.start(first.target, () => this.#visit.openChannel(targets));
    try {
      const models = [];
      for (const { artifact } of standing) models.push(await host.load(artifact, { signal }));
      const { latencies } = await measureLatency(host, models, feeds, {
        limits: finalLimits,
        seed,
        signal,
      });
      standing.forEach(({ target }, at) => this.#row(target, { latencyMs: latencies[at] ?? null }));
    } finally {
      await host.dispose();
    }
  }

  #standing(): readonly Contender[] {
    return this.#request.contenders.filter(({ target }) =>
      this.#state.rows.some((row) => row.target === target && row.failure === null),
    );
  }

  /** What goes wrong with one target is its own matter, unless the page is gone. */
  async #attempt(target: TargetName, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const isGone = isPareError(error) && error.code === "ABORTED";
      if (isGone || this.#visit.isOver) throw error;
      this.#row(target, { failure: messageOf(error) });
    }
  }

  /** Shows what comes next, unless nobody waits for it any more. */
  #begin(phase: string): void {
    throwIfAborted(this.#request.signal);
    if (this.#visit.isOver) throw pageGone(this.#visit.browser);
    this.#show({ phase });
  }

  #row(target: TargetName, change: Partial<ContestRow>): void {
    this.#show({
      rows: this.#state.rows.map((row) => (row.target === target ? { ...row, ...change } : row)),
    });
  }

  #show(change: Partial<ContestState>): void {
    this.#state = { ...this.#state, ...change };
    this.#visit.show(this.#state);
    this.#request.onState(this.#state);
  }
}

async function sizeOfFile(path: string): Promise<SizeBytes> {
  const bytes = new Uint8Array(await readFile(path));
  return sizeOf({
    format: "onnx",
    files: [{ name: path, bytes }],
    session: {},
    requires: { features: [] },
  });
}

function summed(sizes: readonly SizeBytes[]): SizeBytes {
  const sum = (of: keyof SizeBytes): number => sizes.reduce((all, size) => all + size[of], 0);
  return { raw: sum("raw"), gzip: sum("gzip"), brotli: sum("brotli") };
}
