import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { cleanClone, mainJob, manifestOf, reportOf, run, scratch } from "../shell.mjs";

export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const clone = await cleanClone(root, join(folder, "pare"));
    const install = await run("npm", ["ci"], { cwd: clone });
    claim("npm ci in a clean clone", {
      value: install.code,
      bound: 0,
      met: install.code === 0,
      note: `${Math.round(install.seconds)} s`,
    });

    const args = ["pare", ...mainJob];
    const optimize = await run("npx", args, { cwd: clone, echo: true });
    claim("pare optimize exits with", { value: optimize.code, bound: 0, met: optimize.code === 0 });
    const bundle = join(clone, "ocr-direction.pare");
    const { budgetMs } = reportOf(bundle).time;
    claim("seconds for optimize", {
      value: optimize.seconds,
      bound: `<= ${budgetMs / 1000}, which it said before`,
      met: optimize.seconds <= budgetMs / 1000,
    });
    for (const file of [
      "manifest.json",
      "golden.json",
      "index.js",
      "index.d.ts",
      "package.json",
      "pare.lock.json",
      "report.json",
      "report.md",
      "report.html",
    ]) {
      claim(`writes ${file}`, {
        value: existsSync(join(bundle, file)),
        bound: true,
        met: existsSync(join(bundle, file)),
      });
    }
    const report = reportOf(bundle);
    claim("test lines", {
      value: report.data.test,
      bound: ">= 2000",
      met: report.data.test >= 2000,
    });
    for (const target of ["aot", "cpu", "wasm", "webgpu"]) {
      const variant = report.variants.find((one) => one.target === target);
      claim(`${target}: a variant, on its own engine`, {
        value: variant?.engine ?? "none",
        bound: "an engine",
        met: variant !== undefined,
      });
      if (variant === undefined) continue;
      const { accuracy, parity, latencyMs, sizeBytes, baseline } = variant;
      const [, upper] = accuracy.dropInterval ?? [0, accuracy.drop];
      claim(`${target}: drop on the test lines, upper end`, {
        value: upper,
        bound: "<= 0.01",
        n: accuracy.n,
        interval: accuracy.dropInterval,
        met: upper <= 0.01,
      });
      claim(`${target}: brotli bytes of the float model's`, {
        value: sizeBytes.brotli / baseline.sizeBytes.brotli,
        bound: "<= 1",
        met: sizeBytes.brotli <= baseline.sizeBytes.brotli,
      });
      if (target === "webgpu" && "unmeasured" in latencyMs) {
        claim("webgpu on a software GPU: parity on so many samples", {
          value: parity?.n ?? 0,
          bound: ">= 16",
          met: (parity?.n ?? 0) >= 16,
          note: `largest error ${parity?.maxError}, flips ${parity?.flips}`,
        });
        claim("webgpu on a software GPU: no latency, and the reason", {
          value: latencyMs.unmeasured,
          bound: "a reason",
          met: latencyMs.unmeasured.length > 0,
        });
      } else {
        claim(`${target}: latency over the float model's`, {
          value: latencyMs.ratio,
          bound: "<= 1.02",
          n: latencyMs.n,
          interval: latencyMs.ratioInterval,
          met: (latencyMs.ratioInterval?.[0] ?? 1) <= 1.02,
        });
      }
    }
    const manifest = manifestOf(bundle);
    claim("golden check", {
      value: statSync(join(bundle, "golden.json")).size,
      bound: "<= 32768 bytes",
      met: statSync(join(bundle, "golden.json")).size <= 32768,
      note: `${manifest.variants.length} variants`,
    });

    const without = await run("npx", [...args, "-o", "without.pare"], {
      cwd: clone,
      env: { PARE_CHROMIUM: "none" },
    });
    claim("without a Chromium: exits with", {
      value: without.code,
      bound: 0,
      met: without.code === 0,
    });
    const said = without.stdout + without.stderr;
    claim("without a Chromium: wasm runs inside Node and says so", {
      value: /wasm .*Node/i.test(said),
      bound: true,
      met: /wasm .*Node/i.test(said),
    });
    claim("without a Chromium: webgpu is skipped and says so", {
      value: /webgpu.*(skipped|Chrom)/i.test(said),
      bound: true,
      met: /webgpu.*(skipped|Chrom)/i.test(said),
    });

    const test = await run("npm", ["test"], { cwd: clone });
    const last = test.stdout.trim().split("\n").at(-1);
    claim("npm test exits with", { value: test.code, bound: 0, met: test.code === 0, note: last });
    claim("npm test ends in the count", {
      value: last,
      bound: "N passed, 0 failed, N skipped",
      met: /^\d+ passed, 0 failed, \d+ skipped$/.test(last ?? ""),
    });
    inform("minutes for npm test", { value: test.seconds / 60 });
  });
}
