import { openData, type OpenData, type OpenDataOptions } from "../data/open-data.js";
import type { WorkOutput } from "../terminal/output.js";

/** After so long without a sample, that is said. */
const tellWaitMs = 5000;

type Options = Pick<OpenDataOptions, "inputs" | "constants" | "seed" | "purpose"> & {
  readonly preprocess?: string | undefined;
};

/** Opens what `--data` names, and shows how far it is. @throws PareError as `openData` */
export async function readSamples(
  path: string,
  { preprocess, ...options }: Options,
  output: WorkOutput,
  signal: AbortSignal,
): Promise<OpenData> {
  // A module may think for minutes before it gives anything.
  output.progress(0, "reading samples");
  const began = performance.now();
  const waiting = setInterval(() => {
    const seconds = Math.round((performance.now() - began) / 1000);
    output.progress(0, `reading samples: none yet after ${seconds} s`);
  }, tellWaitMs);
  return openData(path, {
    ...options,
    signal,
    ...(preprocess !== undefined && { preprocess }),
    // Of the whole it is nothing yet, and how far the whole is never falls.
    onProgress(done, count) {
      clearInterval(waiting);
      output.progress(0, `reading samples: ${count === null ? done : `${done}/${count}`}`);
    },
    onPrint: (text) => output.detail(text),
  }).finally(() => clearInterval(waiting));
}
