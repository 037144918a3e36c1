import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import {
  isPreset,
  type Lock,
  parseLock,
  parseRecipe,
  passes,
  presets,
  type Recipe,
} from "@pare/compiler";
import { isPareError, messageOf, PareError } from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";

/**
 * A preset by name, or a recipe in a JSON or YAML file.
 * @throws PareError RECIPE naming the file, and the line where it is known
 */
export async function loadRecipe(nameOrFile: string): Promise<Recipe> {
  if (isPreset(nameOrFile)) return presets[nameOrFile];
  if (!/\.(json|ya?ml)$/i.test(nameOrFile)) {
    throw new PareError("RECIPE", `There is no recipe "${nameOrFile}".`, {
      where: "--recipe",
      hint: `The presets are ${Object.keys(presets).join(", ")}; a recipe of your own is a .json or .yaml file.`,
    });
  }
  // The parser is 70 modules, which those without a recipe of their own need not wait for.
  const { readDataFile } = await import("./data-file.js");
  const { data, lineOf } = await readDataFile(nameOrFile);
  try {
    return parseRecipe(data, nameOf(nameOrFile), passes);
  } catch (cause) {
    if (!isPareError(cause) || cause.where === undefined) throw cause;
    const line = lineOf(fieldsOf(cause.where));
    const place = line === null ? nameOrFile : `${nameOrFile}, line ${line}`;
    throw new PareError(cause.code, `${place}: ${cause.message}`, {
      where: `${place}: ${cause.where}`,
      ...(cause.hint !== undefined && { hint: cause.hint }),
      cause,
    });
  }
}

/** A file's name without its folder and ending, as part of a variant's. */
function nameOf(file: string): string {
  return basename(file, extname(file)).replace(/[^\w.-]/g, "-");
}

/** `recipe.steps[2].with.ranges` as the names and numbers that lead there from the whole. */
function fieldsOf(path: string): readonly string[] {
  return (path.match(/[^.[\]]+/g) ?? []).slice(1);
}

/** @throws PareError LOCK */
export async function loadLock(path: string): Promise<Lock> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw fileError(cause, path, "LOCK");
  });
  try {
    return parseLock(JSON.parse(text));
  } catch (cause) {
    if (isPareError(cause)) throw cause;
    throw new PareError("LOCK", `${path} is not JSON: ${messageOf(cause)}.`, {
      where: path,
      cause,
    });
  }
}
