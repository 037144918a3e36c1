import { readFile } from "node:fs/promises";
import {
  isPreset,
  type Lock,
  parseLock,
  parseRecipe,
  passNames,
  presets,
  type Recipe,
} from "@pare/compiler";
import { messageOf, PareError } from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";

/** A preset by name, or a recipe in a JSON file. @throws PareError RECIPE */
export async function loadRecipe(nameOrFile: string): Promise<Recipe> {
  if (isPreset(nameOrFile)) return presets[nameOrFile];
  if (!/\.json$/i.test(nameOrFile)) {
    throw new PareError("RECIPE", `There is no recipe "${nameOrFile}".`, {
      where: "--recipe",
      hint: `The presets are ${Object.keys(presets).join(", ")}; a recipe of your own is a .json file.`,
    });
  }
  return parseRecipe(await readJson(nameOrFile, "RECIPE"), nameOrFile, passNames);
}

/** @throws PareError LOCK */
export async function loadLock(path: string): Promise<Lock> {
  return parseLock(await readJson(path, "LOCK"));
}

async function readJson(path: string, code: "RECIPE" | "LOCK"): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw fileError(cause, path, code);
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PareError(code, `${path} is not JSON: ${messageOf(cause)}.`, { where: path, cause });
  }
}
