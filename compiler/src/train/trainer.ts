import { type ErrorCode, isPareError } from "@pare/runtime/format";
import { eventLoopTurns } from "../pipeline/event-loop-turns.js";
import { readCheckpoint, type TrainingIdentity, writeCheckpoint } from "./checkpoint.js";
import { Judge } from "./judge.js";
import { clipFactor } from "./optimizer/clip.js";
import { rateFactor } from "./optimizer/schedule.js";
import { graphOf } from "./share.js";
import { shuffled } from "./shuffle.js";
import type { Trained, TrainRequest } from "./train-request.js";
import { initialState, learnedArrays, noSums, type TrainingState } from "./training-state.js";
import { type StepResult, TrainingStep } from "./training-step.js";

/**
 * Trains a model by steps on an engine. The same seed, samples and engine give the same weights, on engines that compute
 * the same twice: on one thread they do.
 * @throws PareError DIVERGED when the loss is no longer a finite number, UNSUPPORTED_OP as `trainingGraph`, ABORTED,
 * NO_MEMORY where not even one sample fits
 */
export async function train(request: TrainRequest): Promise<Trained> {
  const training = await Training.open(request);
  try {
    await request.onReady?.();
    return await training.run();
  } finally {
    await training.close();
  }
}

class Training {
  readonly #request: TrainRequest;
  readonly #state: TrainingState;
  readonly #judge: Judge | null;
  readonly #identity: TrainingIdentity;
  #step: TrainingStep | null = null;
  /** Samples since this began; a training that goes on began before. */
  #samples = 0;
  /** Steps before it. */
  readonly #begun: number;
  #recompute: boolean;

  private constructor(request: TrainRequest, state: TrainingState, identity: TrainingIdentity) {
    this.#request = request;
    this.#state = state;
    this.#begun = state.optimizer.steps;
    this.#identity = identity;
    this.#recompute = request.options.recompute;
    this.#judge = Judge.of(request);
  }

  static async open(request: TrainRequest): Promise<Training> {
    const { options, samples, resume, random, onNote, beside = [] } = request;
    const batch = Math.min(options.batch, samples.count);
    if (batch < options.batch)
      onNote?.(`There are ${samples.count} samples: a batch is all of them.`);
    const { parameters, statistics } = graphOf(request, batch);
    const { optimizer, average, keepZeros } = options;
    const inRuns = request.perRun !== undefined && request.perRun < batch;
    const kept = { optimizer, average, batch, keepZeros, shares: 1 + beside.length, inRuns };
    const state = await initialState(parameters, statistics, kept);
    const identity = {
      samples: samples.count,
      ...flat(options),
      seed: random("checkpoint")(),
      ...request.identity,
    };
    if (resume !== undefined) readCheckpoint(resume, state, identity);
    return new Training(request, state, identity);
  }

  async run(): Promise<Trained> {
    const { options, signal, samples, objectives, random } = this.#request;
    const state = this.#state;
    const turn = eventLoopTurns(signal);
    try {
      while (state.epoch < options.epochs) {
        const order = shuffled(samples.count, random(`shuffle ${state.epoch}`));
        while (state.position + state.batch <= samples.count) {
          await turn();
          await this.#stepThatFits(order);
          if (this.#request.checkpointDue?.() === true) await this.#save();
        }
        await this.#endEpoch();
      }
    } catch (error) {
      const hasLearned = state.optimizer.steps > this.#begun;
      if (hasLearned && isPareError(error) && leavesState.has(error.code)) await this.#save();
      throw error;
    }
    const { history, batch, optimizer } = state;
    const learnedFrom = [...new Set(objectives.map(({ target }) => target.from))];
    return {
      learnedFrom,
      samples: samples.count,
      // Copies: the arrays that were learned in, and what shares their memory, go with the training.
      learned: learnedArrays(state).map(({ constant, values }) => ({
        constant,
        values: values.slice(),
      })),
      history,
      steps: optimizer.steps,
      batch,
    };
  }

  async close(): Promise<void> {
    await this.#step?.dispose();
    await this.#judge?.dispose();
  }

  /** With less memory where it has to be: first another way to the same gradients, then fewer samples. */
  async #stepThatFits(order: Int32Array): Promise<void> {
    const state = this.#state;
    try {
      const options = { ...this.#request.options, recompute: this.#recompute };
      this.#step ??= await TrainingStep.open({ ...this.#request, options }, state.batch);
      const place = { order, start: state.position, steps: state.optimizer.steps };
      const result = await this.#step.run(state, place);
      await this.#request.onGradients?.(
        new Map(
          state.parameters.flatMap(({ constant }, index) => {
            const gradient = result.gradients[index];
            return gradient === undefined ? [] : [[constant.value, gradient] as const];
          }),
        ),
      );
      this.#take(result);
    } catch (error) {
      if (!isOutOfMemory(error) || (this.#recompute && state.batch === 1)) throw error;
      // What was loaded is gone with an engine that was ended.
      await this.#step?.dispose().catch(() => {});
      this.#step = null;
      if (this.#recompute) state.batch = Math.floor(state.batch / 2);
      this.#request.onNote?.(
        `The engine ran out of memory: from here on ${this.#recompute ? `batches are of ${state.batch} samples` : "few values of a step are kept, and the others computed again"}.`,
      );
      this.#recompute = true;
    }
  }

  /** Changes the weights by what a step said. */
  #take({ loss, terms, gradients, norm, statistics, right }: StepResult): void {
    const { options } = this.#request;
    const state = this.#state;
    const rate = options.rate * rateFactor(options.schedule, this.#done);
    const scale = options.clip > 0 ? clipFactor(norm, options.clip) : 1;
    state.optimizer.step(gradients, rate, scale);
    state.average?.update(state.optimizer.steps);
    for (const [index, batch] of statistics.entries())
      blend(state.statistics[index], this.#step?.graph.statistics[index]?.momentum, batch);
    state.position += state.batch;
    this.#samples += state.batch;
    const { sums } = state;
    state.sums = {
      batches: sums.batches + 1,
      samples: sums.samples + state.batch,
      loss: sums.loss + loss,
      terms: terms.map((term, index) => (sums.terms[index] ?? 0) + term),
      right: right === null ? null : (sums.right ?? 0) + right,
    };
    this.#tell(loss);
  }

  /** Share of the training that is over. */
  get #done(): number {
    const { epoch, position } = this.#state;
    return (epoch + position / this.#request.samples.count) / this.#request.options.epochs;
  }

  #tell(loss: number): void {
    const { samples, options, onProgress } = this.#request;
    const { epoch, position, sums, history } = this.#state;
    onProgress?.({
      done: this.#done,
      epoch,
      epochs: options.epochs,
      samples: this.#samples,
      samplesLeft: (options.epochs - epoch) * samples.count - position,
      loss,
      accuracy:
        sums.right === null ? (history.at(-1)?.accuracy ?? null) : sums.right / sums.samples,
      history,
    });
  }

  async #endEpoch(): Promise<void> {
    const state = this.#state;
    const { batches, samples, loss, terms, right } = state.sums;
    const validation = (await this.#judge?.accuracy(learnedArrays(state))) ?? null;
    state.history = [
      ...state.history,
      {
        loss: loss / batches,
        terms: terms.map((term) => term / batches),
        accuracy: right === null ? null : right / samples,
        validation,
      },
    ];
    state.epoch += 1;
    state.position = 0;
    state.sums = noSums();
    this.#tell(loss / batches);
    await this.#save();
  }

  async #save(): Promise<void> {
    await this.#request.onCheckpoint?.(writeCheckpoint(this.#state, this.#identity));
  }
}

/** Errors that come between two steps: what was learned until then is worth keeping. */
const leavesState: ReadonlySet<ErrorCode> = new Set(["ABORTED", "ENGINE"]);

/** r ← momentum · r + (1 − momentum) · now */
function blend(
  running: TrainingState["statistics"][number] | undefined,
  momentum: number | undefined,
  now: Float32Array,
): void {
  if (running === undefined || momentum === undefined) return;
  const { values } = running;
  for (let at = 0; at < values.length; at += 1)
    values[at] = momentum * (values[at] as number) + (1 - momentum) * (now[at] as number);
}

/** Options as a checkpoint tells them apart, each by its name. */
function flat(options: object): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, JSON.stringify(value)]),
  );
}

/** An engine in a process of its own may be killed for it. */
function isOutOfMemory(error: unknown): boolean {
  return isPareError(error) && (error.code === "NO_MEMORY" || error.code === "ENGINE_CRASHED");
}
