import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { PareError } from "@pare/runtime/format";
import { fileError } from "../platform/file-error.js";

/** Files that are samples of one kind. */
export interface FileKind {
  /** What they are called. */
  readonly plural: string;
  /** How their names end, in small letters. */
  readonly extensions: ReadonlySet<string>;
}

export interface FolderFile {
  /** Relative to the folder: the sample's id. */
  readonly id: string;
  readonly label: number | null;
}

/**
 * The files of a kind in a folder. Subfolders are labels, numbered in sorted order; files beside one another have none.
 * Links are followed. A subfolder without any is refused: only the user knows whether it is a label.
 * @throws PareError DATA_INVALID, DATA_NOT_FOUND
 */
export async function labelledFiles(
  folder: string,
  kind: FileKind,
): Promise<readonly FolderFile[]> {
  const { plural, extensions } = kind;
  const top = await list(folder);
  const classes: { readonly name: string; readonly files: readonly string[] }[] = [];
  for (const name of top.folders)
    classes.push({ name, files: (await list(join(folder, name))).files });
  const flat = top.files.filter(isOf(kind)).map((id): FolderFile => ({ id, label: null }));
  const labelled = classes.flatMap(({ name, files }, label) =>
    files.filter(isOf(kind)).map((file): FolderFile => ({ id: `${name}/${file}`, label })),
  );
  if (flat.length > 0 && labelled.length > 0) {
    throw new PareError(
      "DATA_INVALID",
      `${folder} holds ${flat.length} ${plural} beside subfolders with ${labelled.length}: are these labels or not?`,
      {
        where: folder,
        hint: `Put all ${plural} into subfolders, one per label, or none.`,
      },
    );
  }
  if (flat.length + labelled.length === 0)
    throw new PareError("DATA_INVALID", `${folder} holds no ${plural}.`, {
      where: folder,
      hint: `Their names end in ${[...extensions].join(", ")}; other data goes into .npz, .safetensors, .jsonl or a data module.`,
    });
  if (flat.length > 0) return flat;
  refuseEmpty(
    folder,
    plural,
    classes.filter(({ files }) => !files.some(isOf(kind))).map(({ name }) => name),
  );
  return labelled;
}

/** To number one that is no label, as `__MACOSX` is none, shifts those after it; to leave out one that is a label, too. */
function refuseEmpty(folder: string, plural: string, empty: readonly string[]): void {
  const [first] = empty;
  if (first === undefined) return;
  const named = empty.slice(0, 3).map((name) => `"${name}"`);
  const more = empty.length > named.length ? ` and ${empty.length - named.length} more` : "";
  throw new PareError(
    "DATA_INVALID",
    `${folder} holds ${plural} in subfolders, but none in ${named.join(", ")}${more}: are these labels or not?`,
    {
      where: join(folder, first),
      hint: `Put ${plural} into each, or move it elsewhere; where a label is to have none, write a data module: pare data <model>.`,
    },
  );
}

/** Of which kinds there are files in a folder, or in one in it. */
export async function kindsIn(
  folder: string,
  kinds: readonly FileKind[],
): Promise<readonly FileKind[]> {
  const { files, folders } = await list(folder);
  const inside = await Promise.all(folders.map((name) => list(join(folder, name))));
  const all = [files, ...inside.map((one) => one.files)].flat();
  return kinds.filter((kind) => all.some(isOf(kind)));
}

function isOf({ extensions }: FileKind): (name: string) => boolean {
  return (name) => extensions.has(extname(name).toLowerCase());
}

/** What is in a folder and not hidden; links count as what they lead to. */
async function list(
  folder: string,
): Promise<{ files: readonly string[]; folders: readonly string[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw fileError(cause, folder, "DATA_NOT_FOUND");
  });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith("."))
      .map(async (entry) => {
        const target = entry.isSymbolicLink() ? await follow(join(folder, entry.name)) : entry;
        return { name: entry.name, isFolder: target.isDirectory() };
      }),
  );
  // Sorted by code points, so that labels do not depend on the machine's language.
  const names = (kept: typeof found): string[] =>
    kept.map(({ name }) => name).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return {
    files: names(found.filter(({ isFolder }) => !isFolder)),
    folders: names(found.filter(({ isFolder }) => isFolder)),
  };
}

async function follow(link: string): Promise<Stats> {
  return stat(link).catch((cause: unknown) => {
    throw fileError(cause, link, "DATA_NOT_FOUND");
  });
}
