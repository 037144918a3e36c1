// A page that needs no driver, and what each browser that is here says by it.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import { browserMissing, findBrowser } from "../../../dist/engines/find-browser.js";
import { isHere, undriven, whileOpen } from "./undriven.mjs";
import { served } from "./serve.mjs";

const { chromium } = createRequire(import.meta.url)("playwright-core");

/** Bundles a page's script into a folder, which it is served from. */
export async function writePage(script, folder) {
  const outfile = join(folder, "page.js");
  await build({ entryPoints: [script], bundle: true, format: "esm", outfile, logLevel: "error" });
  writeFileSync(
    join(folder, "index.html"),
    '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>',
  );
}

/**
 * Opens a folder's page in one browser after the other.
 *
 * @param {string} folder
 * @param inform is told of browsers that are not here
 * @returns of each its name with its version, and what the page posted
 */
export async function* saidBy(folder, inform) {
  for (const browser of undriven)
    if (!isHere(browser)) inform(browser.name, { value: "there is none here" });
  const browsers = [
    ["Chromium", inChromium],
    ...undriven
      .filter(isHere)
      .map((browser) => [browser.name, (url, told) => whileOpen(browser, url, told)]),
  ];
  for (const [name, open] of browsers) {
    const said = await served(folder, open);
    const [, version = ""] = /(?:Chrome|Firefox)\/(\d+)/.exec(said.agent) ?? [];
    yield { ...said, where: `${name} ${version}`.trim() };
  }
}

async function inChromium(url, meanwhile) {
  const executablePath = await findBrowser();
  if (executablePath === null) throw browserMissing();
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath, args });
  try {
    await (await browser.newPage()).goto(url);
    return await meanwhile();
  } finally {
    await browser.close();
  }
}
