// Runs a script of this folder that writes architectures as ONNX files.
import { readFileSync } from "node:fs";
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

/**
 * What a script says of a file, in the JSON beside it.
 * @returns `shapes` of the inputs, values of those that are `constants`, `feeds`, and `outputs` for them, in the file's order;
 *   `exact` are these in float64, null where they are not known
 */
export function sampleOf(path) {
  const {
    inputs,
    outputs,
    constants = {},
    exact = null,
  } = JSON.parse(readFileSync(`${path}.json`, "utf8"));
  const each = (write) =>
    Object.fromEntries(Object.entries(inputs).map(([name, one]) => [name, write(one)]));
  return { shapes: each(({ dims }) => dims), constants, feeds: each(tensorOf), outputs, exact };
}

function tensorOf({ type, dims, data }) {
  switch (type) {
    case "int64":
      return { type, dims, data: BigInt64Array.from(data, BigInt) };
    case "int32":
      return { type, dims, data: Int32Array.from(data) };
    default:
      return { type, dims, data: Float32Array.from(data) };
  }
}
