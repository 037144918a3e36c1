import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ValueInfo } from "@pare/runtime/format";
import { loadPreprocess, type Preprocess } from "./preprocess.js";

export interface ChosenPreprocess {
  readonly preprocess: Preprocess;
  /** What is to be said of it; null where nothing was guessed. */
  readonly caveat: string | null;
}

/**
 * How images become an input: as `--preprocess` says, else as a preprocessor_config.json beside them or above, else by the preset 0..1.
 * @param folder of the images
 * @throws PareError ARGUMENT, DATA_INVALID
 */
export async function choosePreprocess(
  folder: string,
  given: string | undefined,
  input: ValueInfo | undefined,
): Promise<ChosenPreprocess> {
  const found = given ?? (await beside(folder, "preprocessor_config.json"));
  // Bytes are fed as they are.
  const isGuessed = found === null && input?.type !== "uint8";
  return {
    preprocess: await loadPreprocess(found ?? "0..1"),
    caveat: isGuessed
      ? "No --preprocess was given: pixels were scaled to 0..1, which the model may not expect."
      : null,
  };
}

async function beside(folder: string, name: string): Promise<string | null> {
  for (const place of [join(folder, name), join(dirname(folder), name)]) {
    const isThere = await stat(place).then(
      (found) => found.isFile(),
      () => false,
    );
    if (isThere) return place;
  }
  return null;
}
