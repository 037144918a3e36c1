// Runs a script of this folder that writes architectures as ONNX files.
import { fileURLToPath } from "node:url";
import { run } from "../proofs/shell.mjs";

/**
 * @returns what the script printed of each file, among what exporters print: `{ name, file }`, or `{ name, error }`
 * @throws Error where it fails
 */
export async function exported(python, script, folder) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { code, stdout, stderr } = await run(python, [path, folder]);
  if (code !== 0) throw new Error(stderr.slice(-500));
  const lines = stdout.split("\n").filter((line) => line.startsWith('{"name"'));
  return lines.map((line) => JSON.parse(line));
}
