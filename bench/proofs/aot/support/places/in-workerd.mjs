// workerd by Miniflare, which is installed beside the files that it runs: no package here needs it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { run } from "../../../shell.mjs";

const miniflare = "miniflare@4.20260426.0";

/** What workerd.js says of the samples. */
export async function inWorkerd(folder, modules, samples) {
  const npm = ["install", "--silent", "--ignore-scripts", "--no-package-lock", miniflare];
  const { code, stderr } = await run("npm", ["--prefix", folder, ...npm], { cwd: folder });
  if (code !== 0) throw new Error(`${miniflare}: ${stderr.trim().slice(-300)}`);
  const place = createRequire(join(folder, "any.js")).resolve("miniflare");
  const { Miniflare } = await import(pathToFileURL(place).href);
  const worker = new Miniflare({
    compatibilityDate: "2026-01-01",
    modules: modules.map(([path, type]) => ({
      type,
      path,
      contents: readFileSync(join(folder, path)),
    })),
  });
  try {
    const body = new Uint8Array(samples.buffer);
    const answer = await worker.dispatchFetch("http://x/", { method: "POST", body });
    return await answer.json();
  } finally {
    await worker.dispose();
  }
}
