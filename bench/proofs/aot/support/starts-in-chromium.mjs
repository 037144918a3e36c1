// The same as starts.mjs in Node, on pages of a driven Chromium, each in a context that has nothing cached.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBrowser } from "../../../dist/engines/find-browser.js";

const require = createRequire(import.meta.url);
const types = { ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm" };
/** What a browser still does for a page when it is loaded is over by then: it is neither model's. */
const atRestMs = 500;
/** With these a page has a fine clock. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/**
 * @param models a folder's parent
 * @param use is given a function of way and name that gives milliseconds, and the browser's name
 */
export async function startsInChromium(models, use) {
  const executablePath = await findBrowser();
  if (executablePath === null) return null;
  const folders = {
    models,
    ort: dirname(require.resolve("onnxruntime-web/wasm")),
    support: fileURLToPath(new URL("./", import.meta.url)),
  };
  const server = createServer((request, response) => {
    const [, area = "", ...rest] = decodeURIComponent(request.url ?? "/").split("/");
    const path = Object.hasOwn(folders, area) ? join(folders[area], ...rest) : "";
    const type = types[extname(path)] ?? "application/octet-stream";
    if (area === "")
      return response.writeHead(200, { "Content-Type": "text/html", ...isolation }).end();
    if (!existsSync(path)) return response.writeHead(404, isolation).end();
    response.writeHead(200, { "Content-Type": type, ...isolation });
    return createReadStream(path).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({
    executablePath,
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  const startOnce = async (way, name) => {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${server.address().port}/`);
      return await page.evaluate(onPage, { way, name, atRestMs });
    } finally {
      await context.close();
    }
  };
  try {
    return await use(startOnce, `Chromium ${browser.version().split(".")[0]}`);
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}

/** Runs on the page. */
async function onPage({ way, name, atRestMs: rest }) {
  const { firstResult } = await import("/support/starts.mjs");
  await new Promise((resolve) => setTimeout(resolve, rest));
  return firstResult(way, new URL(`/models/${name}/`, location.href), {
    import: (path) => import(path),
    bytes: async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer()),
    engine: "/ort/ort.wasm.bundle.min.mjs",
    engineFiles: "/ort/",
  });
}
