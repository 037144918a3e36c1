import { availableParallelism } from "node:os";
import { type Artifact, artifactBytes, isPareError, type TargetName } from "@pare/runtime/format";
import type { EngineHost } from "../engines/host.js";

/** Engines that share samples, at most, and what their files come to. */
const mostEngines = 4;
const mostBytes = 512 * 2 ** 20;
/** For so long one engine runs alone, and then all of them do, each twice: something else may have a processor for a while. */
const triedMs = 200;
const rounds = 2;
const mostRuns = 64;
/** What is less quick is not worth the memory. */
const leastSpeed = 1.1;
/** On graphics and neural processors engines take turns. */
const onProcessor: readonly TargetName[] = ["cpu", "wasm", "aot"];

type Engines = readonly [EngineHost, ...EngineHost[]];

/** Which targets have several engines answer for samples: those on which that was found to be quicker. */
export class SharedSamples {
  readonly #engines = new Map<TargetName, number>();
  /** On which further engines failed: not tried again. */
  readonly #failed = new Set<TargetName>();
  #speed: number | null = null;

  /** All that share samples of a file now, the one that is asked for everything else first. */
  engines(host: EngineHost, artifact: Artifact): Engines {
    return all(host, Math.min(this.#engines.get(host.target) ?? 1, mostOf(artifact)));
  }

  /**
   * Found out once: it is the processor's, whichever target asks first.
   * @param runMs of the file
   * @param run runs it so many times on one engine
   * @returns how many times as quick all engines are; null where that was not found out, and one goes on alone
   */
  async find(
    host: EngineHost,
    artifact: Artifact,
    runMs: number,
    run: (engine: EngineHost, times: number) => Promise<unknown>,
  ): Promise<number | null> {
    if (!onProcessor.includes(host.target) || this.#failed.has(host.target)) return null;
    const engines = all(host, Math.min(availableParallelism(), mostEngines, mostOf(artifact)));
    if (engines.length === 1) return null;
    try {
      this.#speed ??= await speedOf(engines, runMs, run);
    } catch (error) {
      // Where there is no room for further ones, one is enough.
      if (!isPareError(error) || error.code === "ABORTED") throw error;
      this.#failed.add(host.target);
      return null;
    }
    return Math.min(engines.length, this.#speed);
  }

  /**
   * Takes what was found, now or by an earlier run.
   * @returns how many times as quick samples are from now on
   */
  found(target: TargetName, speed: number): number {
    const engines = speed >= leastSpeed ? Math.min(availableParallelism(), mostEngines) : 1;
    this.#engines.set(target, engines);
    return Math.max(1, Math.min(engines, speed));
  }
}

async function speedOf(
  engines: Engines,
  runMs: number,
  run: (engine: EngineHost, times: number) => Promise<unknown>,
): Promise<number> {
  const times = Math.min(mostRuns, Math.max(1, Math.round(triedMs / runMs)));
  const tookMs = async (on: readonly EngineHost[]): Promise<number> => {
    const began = performance.now();
    await Promise.all(on.map((engine) => run(engine, times)));
    return performance.now() - began;
  };
  await Promise.all(engines.map((engine) => run(engine, 1)));
  let [aloneMs, togetherMs] = [Infinity, Infinity];
  for (let round = 0; round < rounds; round++) {
    aloneMs = Math.min(aloneMs, await tookMs([engines[0]]));
    togetherMs = Math.min(togetherMs, await tookMs(engines));
  }
  return (engines.length * aloneMs) / togetherMs;
}

function mostOf(artifact: Artifact): number {
  return Math.max(1, Math.floor(mostBytes / artifactBytes(artifact)));
}

function all(host: EngineHost, count: number): Engines {
  return [host, ...host.beside(count - 1)];
}
