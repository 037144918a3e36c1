// Puts a capability's files and registrations into a copy of the repository, and counts what that touched.
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { json } from "../../shell.mjs";

const capabilities = "bench/proofs/house/support/capabilities";

/**
 * @param {string} copy of the repository
 * @returns {{ says: string, added: number, lines: number, touched: { file: string, lines: string[], removed: number }[] }}
 *   files of its own and their lines; files that stood before, with the lines that they gained and how many they lost
 */
export function applyCapability(copy, name) {
  const folder = join(copy, capabilities, name);
  const { on, says, edits } = json(join(folder, "capability.json"));
  for (const needed of on) applyCapability(copy, needed);
  const own = join(folder, "files");
  const files = readdirSync(own, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name: file }) => join(parentPath, file).slice(own.length + 1));
  const before = files.find((file) => existsSync(join(copy, file)));
  if (before !== undefined) throw new Error(`${before} stood before: ${name} may not replace it.`);
  cpSync(own, copy, { recursive: true });
  const touched = new Map();
  for (const edit of edits) {
    const { lines, removed } = applyEdit(join(copy, edit.file), edit);
    const known = touched.get(edit.file) ?? { file: edit.file, lines: [], removed: 0 };
    known.lines.push(...lines);
    known.removed += removed;
    touched.set(edit.file, known);
  }
  const lines = files.reduce((sum, file) => sum + linesOf(join(copy, file)).length - 1, 0);
  return { says, added: files.length, lines, touched: [...touched.values()] };
}

const linesOf = (file) => readFileSync(file, "utf8").split("\n");

/** Lines after or before another, or in its place; that one stands in the file once. */
function applyEdit(file, { after, before, line, add, by }) {
  const anchor = after ?? before ?? line;
  const lines = linesOf(file);
  const at = lines.indexOf(anchor);
  if (at < 0 || lines.indexOf(anchor, at + 1) >= 0)
    throw new Error(`${file} does not hold this line once: ${anchor}`);
  const fresh = add ?? [by].flat();
  if (line === undefined) lines.splice(after === undefined ? at : at + 1, 0, ...fresh);
  else lines.splice(at, 1, ...fresh);
  writeFileSync(file, lines.join("\n"));
  return { lines: fresh.filter((text) => text !== anchor), removed: line === undefined ? 0 : 1 };
}
