import { readFile, realpath, stat } from "node:fs/promises";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join, sep } from "node:path";
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
const unknown: Resolved = { kind: "unknown" };

/** @param from the real path of the module that refers to it */
export async function resolveReference(reference: Reference, from: string): Promise<Resolved> {
  const { how, specifier } = reference;
  if (how === "url") return beside(specifier, from);
  if (isBuiltin(specifier) || specifier.startsWith("data:")) return nothing;
  const isPath = /^(?:\.{0,2}[\\/]|\.{1,2}$|file:|[a-z]:[\\/])/i.test(specifier);
  if (!isPath) return packaged(reference, from);
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
async function packaged({ how, specifier }: Reference, from: string): Promise<Resolved> {
  // What a package of the user's own gives, of which `require` is asked: `import` may be told another file.
  const given = async (conditions: unknown): Promise<Resolved> =>
    how === "import" && tellsApart(conditions) ? unknown : required(specifier, from);
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
  // `#name` is what the user's own package.json says.
  if (name.startsWith("#")) return known(await given((await manifestAbove(from)).imports));
  for (const folder of createRequire(from).resolve.paths(name) ?? []) {
    const real = await realpath(join(folder, name)).catch(() => null);
    if (real === null) continue;
    const { version, exports } = (await manifestIn(real)) ?? {};
    return typeof version === "string" && real.split(sep).includes("node_modules")
      ? { kind: "package", id: `${name}@${version}` }
      : known(await given(exports));
  }
  const own = await manifestAbove(from);
  return given(own.name === name ? own.exports : null);
}

/** Whether a package.json's `exports` or `imports` name files for the one of the two alone. */
function tellsApart(conditions: unknown): boolean {
  return (
    typeof conditions === "object" &&
    conditions !== null &&
    Object.entries(conditions).some(
      ([name, target]) => name === "import" || name === "require" || tellsApart(target),
    )
  );
}

/** What `require` is not told, `import` may be. */
function known(resolved: Resolved): Resolved {
  return resolved.kind === "unresolved" ? unknown : resolved;
}

interface Manifest {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly exports?: unknown;
  readonly imports?: unknown;
}

async function manifestAbove(path: string): Promise<Manifest> {
  const folder = dirname(path);
  return folder === path ? {} : ((await manifestIn(folder)) ?? manifestAbove(folder));
}

/** Null where there is none that can be read. */
async function manifestIn(folder: string): Promise<Manifest | null> {
  try {
    return Object(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));
  } catch {
    return null;
  }
}
