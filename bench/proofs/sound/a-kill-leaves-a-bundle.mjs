// kill −9 while a bundle is written: what is left is the old bundle or the new one, and the next write goes through.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { manifestOf, pare, scratch } from "../shell.mjs";
import { loads } from "./support/loads.mjs";

const kills = 500;
/** Of the kills, those that interrupt the first write into an empty folder. */
const firstWrites = 100;
/** One write takes some milliseconds: kills fall into the first few. */
const longestMs = 40;
const writer = fileURLToPath(new URL("support/write-for-ever.mjs", import.meta.url));

export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    const bundles = [];
    for (const seed of ["1", "2"]) {
      const bundle = join(folder, `version-${seed}`);
      const { code, stderr } = await pare(root, [
        "optimize",
        "fixtures/models/mnist-cnn.onnx",
        "--target",
        "cpu",
        "--seed",
        seed,
        "--time-budget",
        "5s",
        "-o",
        bundle,
      ]);
      if (code !== 0) throw new Error(stderr.slice(-400));
      bundles.push(bundle);
    }
    const identities = bundles.map((bundle) => manifestOf(bundle).identity);
    claim("two bundles that differ are written in turn", {
      value: new Set(identities).size,
      bound: 2,
      met: new Set(identities).size === 2,
    });

    const place = join(folder, "place.pare");
    let broken = 0;
    let none = 0;
    let refused = 0;
    const seen = new Set();
    for (let kill = 0; kill < kills; kill += 1) {
      const isFirst = kill < firstWrites;
      if (isFirst) rmSync(place, { recursive: true, force: true });
      if (!(await killedWhileWriting(place, bundles))) refused += 1;
      if (!existsSync(join(place, "manifest.json"))) {
        if (isFirst) none += 1;
        else broken += 1;
        continue;
      }
      if (await loads(place)) seen.add(manifestOf(place).identity);
      else broken += 1;
    }
    claim("kills after which the bundle does not load", {
      value: broken,
      bound: 0,
      n: kills,
      met: broken === 0,
      note: `${firstWrites} of them in the first write into an empty folder, of which ${none} came before there was a bundle`,
    });
    claim("writes that an interrupted one kept from going on", {
      value: refused,
      bound: 0,
      n: kills,
      met: refused === 0,
    });
    claim("both versions were found", { value: seen.size, bound: 2, met: seen.size === 2 });

    const again = await pare(root, [
      "optimize",
      "fixtures/models/mnist-cnn.onnx",
      "--target",
      "cpu",
      "--time-budget",
      "5s",
      "-o",
      place,
    ]);
    const left = readdirSync(place, { recursive: true }).filter((name) =>
      name.includes("pare-tmp"),
    );
    claim("files of interrupted writes after the next run", {
      value: left.length,
      bound: 0,
      met: again.code === 0 && left.length === 0,
    });
  });
}

/** @returns whether it began to write */
async function killedWhileWriting(place, bundles) {
  const child = spawn(process.execPath, [writer, place, ...bundles], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = once(child, "close");
  await Promise.race([once(child.stdout, "data"), ended]);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * longestMs));
  const wasAlive = child.exitCode === null;
  child.kill("SIGKILL");
  await ended;
  return wasAlive;
}
