import { messageOf, type PareError } from "../format/error.js";
import type { Ort } from "./ort.js";
import { fault, type WebBuild } from "./web-build.js";
import { aPage, notFound } from "./web-files.js";

/** ONNX: y = Abs(x), in opset 13. */
// prettier-ignore
const smallest = [
  8, 8, 66, 2, 16, 13, 58, 29, 10, 11, 10, 1, 120, 18, 1, 121, 34, 3, 65, 98, 115, 90, 9, 10, 1, 120, 18, 4, 10, 2, 8, 1, 98,
  3, 10, 1, 121,
];

/**
 * Starts the engine with the smallest model, while the app's own may be on its way.
 * @throws PareError ENGINE_NOT_FOUND, ENGINE_PAGE, ENGINE_START
 */
export async function startSmallest(
  { InferenceSession }: { readonly InferenceSession: Pick<Ort["InferenceSession"], "create"> },
  name: WebBuild["provider"],
): Promise<void> {
  try {
    const options = { executionProviders: [{ name }], logSeverityLevel: 4 } as const;
    await (await InferenceSession.create(Uint8Array.from(smallest), options)).release();
  } catch (cause) {
    throw failure(cause);
  }
}

/** In the engine's words, where it looked for its files by itself. */
function failure(cause: unknown): PareError {
  const said = messageOf(cause);
  if (/magic word|MIME/.test(said)) return aPage(cause);
  if (/4\d\d : |[Ff]etch|NetworkError|imported module|ENOENT/.test(said)) return notFound(cause);
  return fault(
    "ENGINE_START",
    `did not start: ${said}`,
    "Try `threads: 1`, or another backend.",
    cause,
  );
}
