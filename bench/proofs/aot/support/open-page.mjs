// Pages of a driven Chromium, with the runtime, onnxruntime-web and folders of models at hand.
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBrowser } from "../../../dist/engines/find-browser.js";

const require = createRequire(import.meta.url);
const folders = {
  runtime: fileURLToPath(new URL("../../../../runtime/dist/", import.meta.url)),
  ort: dirname(require.resolve("onnxruntime-web/wasm")),
  support: fileURLToPath(new URL("./", import.meta.url)),
};
const types = { ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm" };
/** With these a page has a fine clock. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/**
 * Opens a browser on a server of these folders, `/0/`, `/1/` and so on, beside `/runtime/`, `/ort/` and `/support/`.
 *
 * @param {readonly string[]} models
 * @param {(open: () => Promise<import("playwright-core").Page>, version: string) => Promise<unknown>} visit
 * @returns what `visit` does; null where there is no browser
 */
export async function withPage(models, visit) {
  const executablePath = await findBrowser();
  if (executablePath === null) return null;
  const server = createServer((request, response) => {
    const [, area = "", ...rest] = decodeURIComponent(request.url ?? "/").split("/");
    const own = folders[area] ?? models[Number(area)];
    const path = own === undefined ? "" : join(own, ...rest);
    if (own === undefined || rest.length === 0 || !existsSync(path)) {
      response.writeHead(area === "" ? 200 : 404, { "Content-Type": "text/html", ...isolation });
      return response.end("<!doctype html>");
    }
    response.writeHead(200, { "Content-Type": types[extname(path)] ?? "text/plain", ...isolation });
    return createReadStream(path).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${server.address().port}/`;
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({
    executablePath,
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  const open = async () => {
    const page = await browser.newPage();
    await page.goto(base);
    return page;
  };
  try {
    return (await visit(open, browser.version())) ?? true;
  } finally {
    await browser.close();
    server.close();
  }
}
