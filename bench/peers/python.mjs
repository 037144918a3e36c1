// The interpreter that has the Python tools, and which versions of them.
import { readFileSync } from "node:fs";
import { run } from "../proofs/shell.mjs";

/** As requirements.txt pins them. */
export const versions = Object.fromEntries(
  readFileSync(new URL("requirements.txt", import.meta.url), "utf8")
    .split("\n")
    .map((line) => line.split("=="))
    .filter((pair) => pair.length === 2),
);

/** @throws Error saying what is missing: without Python there is nothing to compare with */
export async function findPython() {
  const python = process.env.PARE_PYTHON;
  if (python === undefined)
    throw new Error("PARE_PYTHON names no interpreter: see bench/peers/README.md");
  const asked = `from importlib.metadata import version; print(*map(version, ${JSON.stringify(Object.keys(versions))}))`;
  const { code, stdout, stderr } = await run(python, ["-c", asked]);
  if (code !== 0) throw new Error(`${python}: ${stderr.trim().split("\n").at(-1)}`);
  const wanted = Object.values(versions).join(" ");
  if (stdout.trim() !== wanted) throw new Error(`it has ${stdout.trim()}, not ${wanted}`);
  return python;
}
