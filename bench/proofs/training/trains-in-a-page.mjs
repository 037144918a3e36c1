// The trainer of the command line, bundled into a page, trains on onnxruntime-web in Chromium: the losses are Node's.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { findBrowser } from "../../dist/index.js";
import { bytesOf, plain } from "./support/networks.mjs";
import { accuracyOf, splitsOf, taught } from "./support/teach.mjs";

const samplesOfADigit = 32;
const seed = 1;
const options = { epochs: 20, batch: 32, rate: 0.003 };
const steps = (options.epochs * samplesOfADigit * 10) / options.batch;
/** Kernels add in other orders, and each step goes on from the last. */
const tolerance = 0.01;

export async function prove({ claim, inform, root }) {
  const { training, test } = await splitsOf(
    pathToFileURL(join(root, "fixtures/data/mnist-training.mjs")).href,
  );
  const samples = Array.from({ length: 10 }, (_, digit) =>
    training.filter(({ label }) => label === digit).slice(0, samplesOfADigit),
  ).flat();
  const start = await bytesOf(plain([4, 8], seed));
  const inNode = await taught(start, { samples, seed, options });
  const inPage = await trainedInPage({ start, samples });
  const losses = ({ history }) => history.map(({ loss }) => loss);
  const [node, page] = [losses(inNode), losses(inPage)];
  const worst = Math.max(...node.map((loss, at) => Math.abs(loss - page[at]) / loss));
  claim("epochs' losses in Chromium on WebAssembly, relative distance from Node's CPU engine", {
    value: worst,
    bound: tolerance,
    n: node.length,
    met: node.length === options.epochs && page.length === node.length && worst <= tolerance,
    note: `${steps} steps; ${inPage.browser}`,
  });
  claim("loss in the page, last epoch over first", {
    value: page.at(-1) / page[0],
    bound: 0.2,
    met: page.at(-1) <= 0.2 * page[0],
  });
  const rights = [inNode, inPage].map(({ bytes }) => accuracyOf(bytes, test));
  const [ofNode, ofPage] = await Promise.all(rights);
  inform("top-1 on the test digits of what was trained in Node", { value: ofNode, n: test.length });
  inform("the same, trained in the page", { value: ofPage, n: test.length });
}

/** What runs in the page: `train(start, pixels, labels)`, all as base64. */
const script = `
import { decodeModel, distill, distillGraph, encodeModel, inferNode, randomOf } from "compiler";
import { byteSource } from "format";
import { wasm } from "ort-web";
const bytesIn = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const textOf = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
globalThis.train = async (start, pixels, labels) => {
  const proto = byteSource(bytesIn(start));
  const graph = await decodeModel({ proto, external: new Map() }, { infer: inferNode });
  const all = new Float32Array(bytesIn(pixels).buffer);
  const examples = {
    executor: wasm({ threads: 1, wasmPaths: "/ort/" }),
    count: labels.length,
    async *read() {
      for (const [index, label] of labels.entries()) {
        const data = all.slice(index * 784, (index + 1) * 784);
        yield { feeds: { x: { type: "float32", dims: [1, 1, 28, 28], data } }, label };
      }
    },
  };
  const { history } = await distillGraph(graph, distill.parse(${JSON.stringify(options)}), {
    examples,
    engine: "wasm",
    random: (name) => randomOf(${seed}, name),
  });
  return { history, bytes: textOf((await encodeModel(graph)).proto) };
};`;

async function trainedInPage({ start, samples }) {
  const server = await served({
    "/": { type: "text/html", body: '<script type="module" src="app.js"></script>' },
    "/app.js": { type: "text/javascript", body: await bundled() },
  });
  const executablePath = await findBrowser();
  if (executablePath === null) throw new Error("There is no Chromium here.");
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.waitForFunction("globalThis.train !== undefined");
    const pixels = Float32Array.from(samples.flatMap(({ feeds }) => [...feeds.x.data]));
    const labels = samples.map(({ label }) => label);
    const base64 = (array) =>
      Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
    const { history, bytes } = await page.evaluate(
      ([model, data, classes]) => globalThis.train(model, data, classes),
      [base64(start), base64(pixels), labels],
    );
    return {
      history,
      bytes: new Uint8Array(Buffer.from(bytes, "base64")),
      browser: `Chromium ${browser.version()}`,
    };
  } finally {
    await browser.close();
    server.close();
  }
}

async function bundled() {
  const file = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
  const { outputFiles } = await build({
    stdin: { contents: script, resolveDir: file(""), loader: "js" },
    alias: {
      compiler: file("compiler/dist/index.js"),
      format: file("runtime/dist/format/index.js"),
      "ort-web": file("runtime/dist/backends/ort-web.js"),
    },
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0].text;
}

/** Pages by path, and the engine's own files below /ort/. */
async function served(pages) {
  const engine = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/wasm"));
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://page");
    const page = pages[pathname];
    if (page !== undefined) {
      response.writeHead(200, { "content-type": page.type }).end(page.body);
      return;
    }
    const name = /^\/ort\/([\w.-]+)$/.exec(pathname)?.[1];
    const type = name?.endsWith(".wasm") ? "application/wasm" : "text/javascript";
    readFile(join(engine, name ?? "none")).then(
      (bytes) => response.writeHead(200, { "content-type": type }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}
