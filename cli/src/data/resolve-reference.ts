import { readFile, realpath, stat } from "node:fs/promises";
import { createRequire, isBuiltin } from "node:module";
import { join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Reference } from "./module-references.js";

/** What a reference leads to. */
export type Resolved =
  /** A file of the user's own, by its real path. */
  | { readonly kind: "file"; readonly path: string }
  /** An installed package, as name@version: it does not change without its version. */
  | { readonly kind: "package"; readonly id: string }
  /** A folder, a module of Node's own, an address elsewhere: there is nothing to read. */
  | { readonly kind: "nothing" }
  /** There is no such file or package. */
  | { readonly kind: "unresolved" }
  /** A package of the user's own that is there, but of which only Node's loader knows what it gives. */
  | { readonly kind: "unknown" };

const nothing: Resolved = { kind: "nothing" };
const unresolved: Resolved = { kind: "unresolved" };

/** @param from the real path of the module that refers to it */
export async function resolveReference(
  { how, specifier }: Reference,
  from: string,
): Promise<Resolved> {
  if (how === "url") return beside(specifier, from);
  if (isBuiltin(specifier) || specifier.startsWith("data:")) return nothing;
  const isPath = /^(?:\.{0,2}[\\/]|\.{1,2}$|file:|[a-z]:[\\/])/i.test(specifier);
  if (!isPath) return packaged(specifier, from);
  return how === "import" ? beside(specifier, from) : required(specifier, from);
}

async function beside(specifier: string, from: string): Promise<Resolved> {
  try {
    const url = new URL(specifier, pathToFileURL(from));
    return url.protocol === "file:" ? await fileAt(fileURLToPath(url)) : nothing;
  } catch {
    return unresolved;
  }
}

/** As `require` has it: endings may be left out, and `index.js` is what a folder gives. */
async function required(specifier: string, from: string): Promise<Resolved> {
  try {
    const path = createRequire(from).resolve(specifier);
    return isBuiltin(path) ? nothing : await fileAt(path);
  } catch {
    return unresolved;
  }
}

async function fileAt(path: string): Promise<Resolved> {
  const real = await realpath(path).catch(() => null);
  if (real === null) return unresolved;
  return (await stat(real)).isDirectory() ? nothing : { kind: "file", path: real };
}

/** Found by walking up through `node_modules`, as both of Node's loaders do. */
async function packaged(specifier: string, from: string): Promise<Resolved> {
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
  // `#name` is what the user's own package.json says.
  const above = name.startsWith("#") ? [] : (createRequire(from).resolve.paths(name) ?? []);
  for (const folder of above) {
    const real = await realpath(join(folder, name)).catch(() => null);
    if (real === null) continue;
    const version = real.split(sep).includes("node_modules") ? await versionOf(real) : null;
    return version === null
      ? known(await required(specifier, from))
      : { kind: "package", id: `${name}@${version}` };
  }
  return name.startsWith("#") ? known(await required(specifier, from)) : required(specifier, from);
}

/** What `require` is not told, `import` may be. */
function known(resolved: Resolved): Resolved {
  return resolved.kind === "unresolved" ? { kind: "unknown" } : resolved;
}

/** Null for one that has no version, as packages have that lie where they are written. */
async function versionOf(folder: string): Promise<string | null> {
  try {
    const { version }: { version?: unknown } = Object(
      JSON.parse(await readFile(join(folder, "package.json"), "utf8")),
    );
    return typeof version === "string" ? version : null;
  } catch {
    return null;
  }
}
