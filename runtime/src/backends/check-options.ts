import { PareError } from "../format/error.js";

/** More than any machine has is a mistake, and an engine would start them all. */
const mostThreads = 256;

/** @throws PareError ARGUMENT for an option that `backend` does not have, or a number of threads that none can */
export function checkOptions(
  backend: string,
  options: { readonly threads?: number | undefined },
  known: readonly string[] = ["threads"],
): void {
  const { threads = 1 } = options;
  const wrong = Object.keys(options).find((key) => !known.includes(key));
  if (!wrong && Number.isInteger(threads) && threads > 0 && threads <= mostThreads) return;
  throw new PareError("ARGUMENT", `${backend}() cannot have ${wrong ?? `${threads} threads`}.`, {
    where: backend,
    hint: `It takes ${known.join(", ")}.`,
  });
}
