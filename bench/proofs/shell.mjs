// What the proofs share: commands, scratch folders, and what a bundle says of itself.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The README's main job, as arguments of `pare`: for every target. */
export const mainJob = [
  "optimize",
  "fixtures/models/ocr-direction.onnx",
  "--data",
  "fixtures/data/ocr-direction.mjs",
  "--shape",
  "x=1x3x48x192",
];

/** Runs a command to its end; gives its exit code, output and seconds. Never throws for a code. */
export function run(command, args, { cwd, env, echo = false } = {}) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      if (echo) process.stderr.write(chunk);
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
      if (echo) process.stderr.write(chunk);
    });
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({
        code: code ?? signal,
        stdout,
        stderr,
        seconds: (performance.now() - started) / 1000,
      }),
    );
  });
}

/** Names the folder that holds the cache. */
export const cacheVariable = process.platform === "win32" ? "LOCALAPPDATA" : "XDG_CACHE_HOME";

/** The command line of a checkout; it knows nothing from earlier runs, unless it is given a cache to know it from. */
export const pare = (root, args, { env, ...options } = {}) =>
  scratch((cache) =>
    run(process.execPath, [join(root, "cli/bin/pare.js"), ...args], {
      cwd: root,
      env: { [cacheVariable]: cache, ...env },
      ...options,
    }),
  );

/** A folder that is gone when `use` is done. */
export async function scratch(use) {
  const folder = mkdtempSync(join(tmpdir(), "pare-proof-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A clean clone of what is committed. */
export async function cleanClone(root, folder) {
  const { code, stderr } = await run("git", ["clone", "-q", root, folder]);
  if (code !== 0) throw new Error(`git clone failed: ${stderr}`);
  return folder;
}

export const json = (file) => JSON.parse(readFileSync(file, "utf8"));
export const reportOf = (bundle) => json(join(bundle, "report.json"));
export const manifestOf = (bundle) => json(join(bundle, "manifest.json"));
