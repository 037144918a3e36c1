import type { SingleBar } from "cli-progress";

/** Shows how far work is, until it is settled. */
export interface Bar {
  show(fraction: number, what: string): void;
  settle(): void;
}

const steps = 1000;

/**
 * A bar with an estimate. The library is loaded when first shown; what comes before is not drawn. What is said in between
 * takes it away, and it goes on where it was.
 * @param now milliseconds
 */
export function progressBar(stream: NodeJS.WritableStream, now = () => performance.now()): Bar {
  let bar: SingleBar | null = null;
  let loading = false;
  let wanted: { readonly value: number; readonly shown: Shown } | null = null;
  const pace = new Pace(now);
  const stop = (): void => {
    process.off("exit", stop);
    if (bar?.isActive) bar.stop();
  };
  const draw = (own: SingleBar, value: number, shown: Shown): void => {
    if (own.isActive) {
      own.update(value, shown);
      return;
    }
    own.start(steps, value, shown);
    // It hides the cursor, and whoever ends the process at once wants that back.
    if (own.isActive) process.once("exit", stop);
  };
  const open = async (): Promise<void> => {
    loading = true;
    const { default: progress } = await import("cli-progress");
    bar = new progress.SingleBar({
      format: " {bar} {percentage}% | {left} | {what}",
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: 24,
      clearOnComplete: true,
      hideCursor: true,
      stopOnComplete: false,
      gracefulExit: false,
      stream,
    });
    loading = false;
    if (wanted !== null) draw(bar, wanted.value, wanted.shown);
  };
  return {
    show(fraction, what) {
      const done = Math.min(1, fraction);
      wanted = {
        value: Math.round(done * steps),
        shown: { what, left: leftText(pace.left(done)) },
      };
      if (bar !== null) draw(bar, wanted.value, wanted.shown);
      else if (!loading) void open();
    },
    settle() {
      wanted = null;
      stop();
    },
  };
}

interface Shown {
  readonly what: string;
  readonly left: string;
}

/** How long the rest takes at the pace of what is done. A share that falls begins other work. */
class Pace {
  readonly #now: () => number;
  #first: { readonly done: number; readonly ms: number } | null = null;
  #last = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns seconds; not a number as long as nothing has advanced */
  left(done: number): number {
    if (this.#first === null || done < this.#last) this.#first = { done, ms: this.#now() };
    this.#last = done;
    const perShare = (this.#now() - this.#first.ms) / (done - this.#first.done);
    return (perShare * (1 - done)) / 1000;
  }
}

/** @param seconds not a number as long as nothing has advanced, and there is nothing to go by */
export function leftText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "estimating";
  if (seconds < 60) return `${Math.ceil(seconds)}s left`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes}m left` : `${Math.floor(minutes / 60)}h ${minutes % 60}m left`;
}
