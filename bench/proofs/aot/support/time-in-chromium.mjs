// The same as time-in-node.mjs, on a page of a driven Chromium.
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

/** What `ratioOf` says of the models in folders, each on a fresh page; null where there is no browser. */
export async function timedInChromium(models, budgetMs) {
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
  try {
    const answers = [];
    for (const index of models.keys()) {
      const page = await browser.newPage();
      await page.goto(base);
      answers.push(await page.evaluate(onPage, { index, budgetMs }));
      await page.close();
    }
    return { browser: `Chromium ${browser.version().split(".")[0]}`, answers };
  } finally {
    await browser.close();
    server.close();
  }
}

/** Runs on the page. */
async function onPage({ index, budgetMs }) {
  const { aot } = await import("/runtime/backends/aot.js");
  const { ratioOf } = await import("/support/side-by-side.mjs");
  const ort = await import("/ort/ort.wasm.bundle.min.mjs");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = "/ort/";
  ort.env.logLevel = "error";
  const bytesOf = async (name) =>
    new Uint8Array(await (await fetch(`/${index}/${name}`)).arrayBuffer());
  const facts = await (await fetch(`/${index}/facts.json`)).json();
  const files = [];
  for (const name of facts.artifact.files) files.push({ name, bytes: await bytesOf(name) });
  const feeds = {};
  for (const [name, { file, ...rest }] of Object.entries(facts.feeds))
    feeds[name] = { ...rest, data: new Float32Array((await bytesOf(file)).buffer) };
  const { engine } = await aot().probe();
  const onnx = await Promise.all(facts.onnx.map(bytesOf));
  const probe = facts.probe && (await bytesOf(facts.probe));
  const artifact = { ...facts.artifact, files };
  return { engine, ...(await ratioOf({ aot, ort, artifact, onnx, probe, feeds, budgetMs })) };
}
