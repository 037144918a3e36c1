import { countMacs, type Graph } from "@pare/compiler";
import type { WorkOutput } from "../../terminal/output.js";
import { durationText } from "./training-report.js";

/** Runs tell how long the rest takes once they went on for so long. */
const tellingMs = 400;

/** Of a run's time, what is guessed to be the same however little a model computes. */
const fixedShare = 0.25;

/** What a run of one model is guessed to take, of a run of another; as much where it cannot be counted. */
export function runShare(one: Graph, other: Graph): number {
  const [few, all] = [countMacs(one), countMacs(other)];
  if (few === null || all === null || all === 0) return 1;
  return fixedShare + (1 - fixedShare) * (few / all);
}

/** What a teaching is made of, in runs of the first model that is tested, on one sample. */
interface TeachingRuns {
  /** Of each test. */
  readonly test: number;
  readonly tests: number;
  /** Guessed, and rather too many. */
  readonly learning: number;
}

/** Says how long the whole of a teaching may take, from the first runs of its first test: before anything is learned. */
export class ExpectedTime {
  readonly #runs: TeachingRuns;
  readonly #say: Pick<WorkOutput, "note">;
  readonly #now: () => number;
  #first: { readonly ms: number; readonly runs: number } | null = null;
  #said = false;

  constructor(
    runs: TeachingRuns,
    say: Pick<WorkOutput, "note">,
    now: () => number = () => performance.now(),
  ) {
    this.#runs = runs;
    this.#say = say;
    this.#now = now;
  }

  /** @param runs of the first test, so far */
  ran(runs: number): void {
    if (this.#said) return;
    // The first run also loads the model: it tells of nothing.
    this.#first ??= { ms: this.#now(), runs };
    const [ms, made] = [this.#now() - this.#first.ms, runs - this.#first.runs];
    const { test, tests, learning } = this.#runs;
    if (made < 1 || (ms < tellingMs && runs < test)) return;
    this.#said = true;
    const all = test * tests + learning - runs;
    this.#say.note(`In all it will take up to ${durationText((all * ms) / made / 1000)}.`);
  }
}
