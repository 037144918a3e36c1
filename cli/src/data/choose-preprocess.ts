import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, PareError, type ValueInfo } from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";
import { type Preprocess, presets } from "./preprocess.js";
import { parsePreprocessorConfig } from "./preprocessor-config.js";

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

/**
 * A preset by name, or a `preprocessor_config.json` as transformers writes it.
 * @throws PareError ARGUMENT, DATA_INVALID
 */
export async function loadPreprocess(nameOrFile: string): Promise<Preprocess> {
  const preset = Object.entries(presets).find(([name]) => name === nameOrFile)?.[1];
  if (preset !== undefined) return preset;
  if (!nameOrFile.endsWith(".json")) {
    throw new PareError("ARGUMENT", `There is no preset "${nameOrFile}".`, {
      where: "--preprocess",
      hint: `Use ${Object.keys(presets).join(", ")}, or the path of a preprocessor_config.json.`,
    });
  }
  const bytes = await readFile(nameOrFile).catch((cause: unknown) => {
    throw fileError(cause, nameOrFile, "ARGUMENT");
  });
  try {
    return parsePreprocessorConfig(JSON.parse(new TextDecoder().decode(bytes)), nameOrFile);
  } catch (cause) {
    if (cause instanceof PareError) throw cause;
    throw new PareError("DATA_INVALID", `${nameOrFile} is not JSON: ${messageOf(cause)}.`, {
      where: nameOrFile,
      cause,
    });
  }
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
