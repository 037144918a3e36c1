import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const packages = ["@pare/runtime/format", "@pare/compiler", "@pare/bench"];

/**
 * sha256 over the code of this program's packages. The version alone would not do: in a clone of the repository it
 * stays while the code changes, and what an older pass made must not be taken for what today's makes.
 */
export function codeIdentity(): Promise<string> {
  const { resolve } = createRequire(import.meta.url);
  const own = fileURLToPath(new URL("../index.js", import.meta.url));
  return identityOf([own, ...packages.map((name) => resolve(name))]);
}

/** @param entries of packages, in their dist or, when sources are run, in their src */
export async function identityOf(entries: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const entry of entries) {
    const [, folder = "", name = ""] = /^(.*[\\/](?:dist|src))[\\/](.*)$/.exec(entry) ?? [];
    const names = isWhole(name) ? [name] : await readdir(folder, { recursive: true });
    for (const file of names.filter((each) => isCode(each)).toSorted()) {
      const bytes = await readFile(join(folder, file));
      hash.update(`${file.replaceAll("\\", "/")}\n${bytes.length}\n`).update(bytes);
    }
  }
  return hash.digest("hex");
}

/** Is it all of its package in one file, beside the many that it was made of? Reading those takes longer than loading it. */
const isWhole = (entry: string): boolean => entry === "compiler.js";

const isCode = (name: string): boolean => /\.[jt]s$/.test(name) && !name.endsWith(".d.ts");
