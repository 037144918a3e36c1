import { realpathSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { parse } from "node:path";
import { fileURLToPath } from "node:url";

interface Place {
  readonly path: string;
  /** What stands for the folder itself. */
  readonly as: string;
  /** What stands for it, and the separator after it, before something in it. */
  readonly before: string;
}

/** The longest first: what lies in two of them is told from the inner one. */
function places(): readonly Place[] {
  const known = [
    { path: process.cwd(), as: ".", before: "" },
    { path: fileURLToPath(new URL("../../..", import.meta.url)), as: "pare", before: "" },
    { path: tmpdir(), as: "a temporary folder", before: "" },
    { path: homedir(), as: "~", before: "~/" },
  ];
  return known
    .flatMap((place) => [place, { ...place, path: real(place.path) }])
    .map((place) => ({ ...place, path: place.path.replace(/[\\/]+$/, "") }))
    .filter(({ path }) => path !== "" && path !== parse(path).root.replace(/[\\/]+$/, ""))
    .sort((a, b) => b.path.length - a.path.length);
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** How a text is told without them. */
function telling(): (text: string) => string {
  const rules = places().flatMap(({ path, as, before }) => {
    const escaped = path.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    const start = String.raw`(?:file://)?(?<![\w.-])${escaped}`;
    return [
      { found: new RegExp(String.raw`${start}[\\/]+`, "g"), by: before },
      { found: new RegExp(String.raw`${start}(?![\w.-])`, "g"), by: as },
    ];
  });
  return (text) => rules.reduce((told, { found, by }) => told.replace(found, by), text);
}

/**
 * A report, or another tree of data, without this machine's folders, wherever something told of one: an engine of its
 * file, a module of where it failed. Names of fields and of nodes and numbers stay as they are, and so does a folder whose
 * name only begins like one of them.
 */
export function withoutPlaces<T>(data: T): T;
export function withoutPlaces(data: unknown): unknown {
  return each(data, telling());
}

function each(data: unknown, told: (text: string) => string): unknown {
  if (typeof data === "string") return told(data);
  if (Array.isArray(data)) return data.map((one: unknown) => each(one, told));
  if (typeof data !== "object" || data === null) return data;
  // Exporters name nodes by paths: one that begins like a folder here is none.
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, key === "node" ? value : each(value, told)]),
  );
}
