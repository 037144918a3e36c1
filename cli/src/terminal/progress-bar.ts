import type { SingleBar } from "cli-progress";

/** Shows how far work is, until it is settled. */
export interface Bar {
  show(fraction: number, what: string): void;
  settle(): void;
}

/** A bar with an estimate. The library is loaded when first shown; what comes before is not drawn. */
export function progressBar(stream: NodeJS.WritableStream): Bar {
  let bar: SingleBar | null = null;
  let loading = false;
  let wanted = false;
  const stop = (): void => {
    process.off("exit", stop);
    if (bar?.isActive) bar.stop();
  };
  const start = (own: SingleBar, what: string): void => {
    own.start(1000, 0, { what });
    // It hides the cursor, and whoever ends the process at once wants that back.
    if (own.isActive) process.once("exit", stop);
  };
  const open = async (): Promise<void> => {
    loading = true;
    const { default: progress } = await import("cli-progress");
    bar = new progress.SingleBar({
      format: " {bar} {percentage}% | {eta_formatted} | {what}",
      formatTime: leftText,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: 24,
      clearOnComplete: true,
      hideCursor: true,
      stopOnComplete: false,
      gracefulExit: false,
      etaBuffer: 50,
      stream,
    });
    loading = false;
    if (wanted) start(bar, "");
  };
  return {
    show(fraction, what) {
      wanted = true;
      if (bar === null) {
        if (!loading) void open();
        return;
      }
      if (!bar.isActive) start(bar, what);
      bar.update(Math.round(Math.min(1, fraction) * 1000), { what });
    },
    settle() {
      wanted = false;
      stop();
    },
  };
}

/** @param seconds not a number as long as nothing has advanced, and there is nothing to go by */
export function leftText(seconds: number): string {
  if (!Number.isFinite(seconds)) return "estimating";
  if (seconds < 60) return `${Math.ceil(seconds)}s left`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes}m left` : `${Math.floor(minutes / 60)}h ${minutes % 60}m left`;
}
