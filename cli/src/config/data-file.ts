import { type FileHandle, open } from "node:fs/promises";
import { messageOf, nestingLimit, PareError } from "@pare/runtime/format";
import {
  Composer,
  type CST,
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Parser,
  type Scalar,
  visit,
} from "yaml";
import { fileError } from "../platform/file-error.js";

/** Data from a JSON or YAML file, and where in the file it stands. */
export interface DataFile {
  readonly data: unknown;
  /** The line, from 1, of the field at a path, or of what holds it; null where the parser does not know. */
  readonly lineOf: (path: readonly string[]) => number | null;
}

/** A file of someone else's that is larger, or nested deeper, is no recipe. */
const mostBytes = 1_000_000;
/** Its parser takes the square of the number of aliases, and keeps a kilobyte of every error. */
const mostBytesOfYaml = 100_000;
/** A few repeated options are convenient; a thousand times a thousand are an attack. */
const mostAliases = 16;

/**
 * Reads JSON, or YAML 1.2 of one document without tags of its own.
 * @throws PareError RECIPE naming the file, and the line where it is known
 */
export async function readDataFile(path: string): Promise<DataFile> {
  return /\.json$/i.test(path)
    ? readJson(await readText(path, mostBytes), path)
    : readYaml(await readText(path, mostBytesOfYaml, "Write it as JSON, if it has to be."), path);
}

function readJson(text: string, path: string): DataFile {
  try {
    // JSON is YAML too: its parser knows the lines.
    const lineOf: DataFile["lineOf"] = (fields) => {
      const lines = new LineCounter();
      const [document] = documentsOf(text, lines) ?? [];
      return document === undefined ? null : lines.linePos(positionOf(document, fields)).line;
    };
    return { data: JSON.parse(text), lineOf };
  } catch (cause) {
    throw new PareError("RECIPE", `${path} is not JSON: ${messageOf(cause)}.`, {
      where: path,
      hint: "The name of a YAML file ends in .yaml or .yml.",
      cause,
    });
  }
}

function readYaml(text: string, path: string): DataFile {
  const lines = new LineCounter();
  const refuse = (what: string, position: number | undefined, hint: string): never => {
    const place = position === undefined ? path : `${path}, line ${lines.linePos(position).line}`;
    throw new PareError("RECIPE", `${place} ${what}.`, { where: place, hint });
  };
  const documents = documentsOf(text, lines);
  if (documents === null)
    return refuse(`is nested more than ${nestingLimit} levels deep`, undefined, "No recipe is.");
  const [document, second] = documents;
  if (document === undefined || second !== undefined)
    return refuse("must hold one document", second?.range[0], "Take out what follows `---`.");
  const [error] = document.errors;
  if (error !== undefined)
    refuse(`is not YAML: ${error.message}`, error.pos[0], "Indent with spaces; quote texts.");
  // The parser warns of tags that it does not know.
  const [warning] = document.warnings;
  if (warning !== undefined)
    refuse(`is not plain data: ${warning.message}`, warning.pos[0], "Leave the tag out.");
  const twice = repeatedKey(document);
  if (twice !== null)
    refuse(`holds ${String(twice.value)} twice`, twice.range?.[0], "Leave one of the two out.");
  try {
    return {
      data: document.toJS({ maxAliasCount: mostAliases }),
      lineOf: (fields) => lines.linePos(positionOf(document, fields)).line,
    };
  } catch (cause) {
    return refuse(`cannot be unfolded: ${messageOf(cause)}`, undefined, "Leave aliases out.");
  }
}

async function readText(path: string, most: number, hint?: string): Promise<string> {
  const buffer = new Uint8Array(most + 1);
  let length = 0;
  let file: FileHandle | null = null;
  try {
    file = await open(path);
    for (let read = -1; read !== 0 && length < buffer.length; length += read)
      read = (await file.read(buffer, length, buffer.length - length)).bytesRead;
  } catch (cause) {
    throw fileError(cause, path, "RECIPE");
  } finally {
    await file?.close();
  }
  if (length > most)
    throw new PareError("RECIPE", `${path} is larger than ${most / 1000} kB, which no recipe is.`, {
      where: path,
      ...(hint !== undefined && { hint }),
    });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, length));
  } catch (cause) {
    throw new PareError("RECIPE", `${path} is not text in UTF-8.`, { where: path, cause });
  }
}

/** Null where it is nested too deeply: what recurses over it could end the process. */
function documentsOf(text: string, lines: LineCounter): readonly Document.Parsed[] | null {
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  if (tokens.some(isTooDeep)) return null;
  const options = { schema: "core", resolveKnownTags: false, uniqueKeys: false } as const;
  return [...new Composer(options).compose(tokens, true, text.length)];
}

function isTooDeep(token: CST.Token): boolean {
  let level: readonly CST.Token[] = [token];
  for (let depth = 0; depth <= nestingLimit; depth += 1) {
    if (level.length === 0) return false;
    level = level.flatMap(partsOf);
  }
  return level.length > 0;
}

function partsOf(token: CST.Token): readonly CST.Token[] {
  if (token.type === "document") return token.value === undefined ? [] : [token.value];
  if (!("items" in token)) return [];
  return token.items.flatMap(({ key, value }) => [key, value].filter((part) => !!part));
}

/** The parser's own check takes the square of the number of keys. */
function repeatedKey(document: Document.Parsed): Scalar | null {
  let repeated: Scalar | null = null;
  visit(document, {
    Map(_, { items }) {
      const keys = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (keys.has(String(key.value))) repeated = key;
        keys.add(String(key.value));
      }
      return repeated === null ? undefined : visit.BREAK;
    },
  });
  return repeated;
}

/** Where the field at a path begins, or the last of what holds it; of what an alias stands for, the alias. */
function positionOf(document: Document.Parsed, fields: readonly string[]): number {
  let node: Node | null = document.contents;
  let position = node?.range?.[0] ?? 0;
  for (const field of fields) {
    if (isSeq<Node>(node)) node = node.items[Number(field)] ?? null;
    else if (isMap<Node, Node>(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === field);
      position = pair?.key.range?.[0] ?? position;
      node = pair?.value ?? null;
      continue;
    }
    position = node?.range?.[0] ?? position;
  }
  return position;
}
