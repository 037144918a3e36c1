// The interpreter that has the Python tools, and which versions of them.
import { readFileSync } from "node:fs";
import { run } from "../proofs/shell.mjs";

const pinned = (file) =>
  Object.fromEntries(
    readFileSync(new URL(file, import.meta.url), "utf8")
      .split("\n")
      .map((line) => line.split("=="))
      .filter((pair) => pair.length === 2),
  );

/** As requirements.txt pins them. */
export const versions = pinned("requirements.txt");

/** @throws Error saying what is missing: without Python there is nothing to compare with */
export const findPython = () => interpreter("PARE_PYTHON", versions);

/** PyTorch brings gigabytes along, and so it has an environment of its own. @throws Error as `findPython` */
export const findTorch = () => interpreter("PARE_TORCH", pinned("requirements-torch.txt"));

/** @throws Error as `findPython` */
export const findPublished = () =>
  interpreter("PARE_PUBLISHED", pinned("requirements-published.txt"));

/** @throws Error as `findPython` */
export const findSklearn = () => interpreter("PARE_SKLEARN", pinned("requirements-sklearn.txt"));

/** @throws Error as `findPython` */
export const findDetectors = () =>
  interpreter("PARE_DETECTORS", pinned("requirements-detectors.txt"));

/** @throws Error as `findPython` */
export const findKeras = () => interpreter("PARE_KERAS", pinned("requirements-keras.txt"));

async function interpreter(variable, wantedVersions) {
  const python = process.env[variable];
  if (python === undefined)
    throw new Error(`${variable} names no interpreter: see bench/peers/README.md`);
  const asked = `from importlib.metadata import version; print(*map(version, ${JSON.stringify(Object.keys(wantedVersions))}))`;
  const { code, stdout, stderr } = await run(python, ["-c", asked]);
  if (code !== 0) throw new Error(`${python}: ${stderr.trim().split("\n").at(-1)}`);
  const wanted = Object.values(wantedVersions).join(" ");
  if (stdout.trim() !== wanted) throw new Error(`it has ${stdout.trim()}, not ${wanted}`);
  return python;
}
