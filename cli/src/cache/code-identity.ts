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
export async function codeIdentity(): Promise<string> {
  const { resolve } = createRequire(import.meta.url);
  const own = fileURLToPath(new URL("..", import.meta.url));
  const folders = packages.map((name) => codeFolder(resolve(name)));
  const hash = createHash("sha256");
  for (const folder of [own, ...folders]) {
    const names = (await readdir(folder, { recursive: true })).filter((name) => isCode(name));
    for (const name of names.toSorted()) {
      const bytes = await readFile(join(folder, name));
      hash.update(`${name.replaceAll("\\", "/")}\n${bytes.length}\n`).update(bytes);
    }
  }
  return hash.digest("hex");
}

/** A package's entry lies in dist or, when sources are run, in src. */
function codeFolder(entry: string): string {
  return entry.replace(/^(.*[\\/](?:dist|src))[\\/].*$/, "$1");
}

const isCode = (name: string): boolean => /\.[jt]s$/.test(name) && !name.endsWith(".d.ts");
