import type { TrainingProgress } from "@pare/compiler";
import type { WorkOutput } from "../../terminal/output.js";
import { countText } from "../../terminal/words.js";

/** Steps tell how long the rest takes once they went on for so long. */
const tellingMs = 500;

/** Says how a training goes: how long it will take, then loss, accuracy, speed and time left, and each epoch. */
export class TrainingReport {
  readonly #output: WorkOutput;
  readonly #now: () => number;
  #first: { readonly ms: number; readonly samples: number } | null = null;
  #estimated = false;
  #epochs = 0;

  constructor(output: WorkOutput, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
  }

  /** In another process: what went on in the one before tells nothing of how long it takes. */
  restart(): void {
    this.#first = null;
    this.#estimated = false;
  }

  teacher(fraction: number): void {
    this.#output.progress(0, `asking the teacher: ${Math.round(100 * fraction)} %`);
  }

  progress(progress: TrainingProgress): void {
    const { done, epoch, epochs, samples, samplesLeft, loss, accuracy, history } = progress;
    // The first step also opens the engine: it tells of nothing.
    this.#first ??= { ms: this.#now(), samples };
    const ms = this.#now() - this.#first.ms;
    const perSecond = ms > 0 ? (1000 * (samples - this.#first.samples)) / ms : Number.NaN;
    const left = samplesLeft / perSecond;
    if (!this.#estimated && ms >= tellingMs && samplesLeft > 0) {
      this.#estimated = true;
      this.#output.note(
        `It will take ${durationText(left)}: ${countText(samplesLeft)} samples are to be learned from, ${countText(Math.round(perSecond))} a second.`,
      );
    }
    for (const { loss: mean, accuracy: own, validation } of history.slice(this.#epochs)) {
      this.#epochs += 1;
      const parts = [
        `loss ${mean.toPrecision(3)}`,
        ...(own === null ? [] : [`${percent(own)} right while learning`]),
        ...(validation === null ? [] : [`${percent(validation)} right of the validation samples`]),
      ];
      this.#output.note(`Epoch ${this.#epochs} of ${epochs}: ${parts.join(", ")}.`);
    }
    const speed = Number.isFinite(perSecond)
      ? [`${countText(Math.round(perSecond))} samples/s`, `${durationText(left)} left`]
      : [];
    const right = accuracy === null ? [] : [`${percent(accuracy)} right`];
    const shown = [`epoch ${Math.min(epoch + 1, epochs)}/${epochs}`, `loss ${loss.toPrecision(3)}`];
    this.#output.progress(done, [...shown, ...right, ...speed].join(", "));
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** @param seconds */
export function durationText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "an unknown time";
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
