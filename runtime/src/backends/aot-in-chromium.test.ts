import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  length,
  recurrentBundle,
} from "../../../compiler/src/bundle/recurrent-bundle.test.support.js";
import { chromiumPath, launchChromium } from "../../../docs/examples/testing/chromium.js";

const bundle = await recurrentBundle();
/** Nothing is evaluated, and nothing comes from elsewhere. */
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'"; // prettier-ignore

const page = `
addEventListener("securitypolicyviolation", ({ violatedDirective }) => violations.push(violatedDirective));
globalThis.violations = [];
const { compile, start } = await import("./aot-loader.js");
const x = new Float32Array(${length}).fill(1);
globalThis.places = {
  page: async () => start(await compile()).stream().runSync({ x }).y[0],
  worker: () => answerOf(new Worker("./worker.js", { type: "module" })),
  // A module is compiled once, and goes where it is needed.
  posted: async () => answerOf(new Worker("./worker.js", { type: "module" }), await compile()),
  async worklet() {
    const context = new OfflineAudioContext(1, ${2 * 128}, 8000);
    await context.audioWorklet.addModule("./worklet.js");
    const processorOptions = await compile();
    const options = { processorOptions, numberOfInputs: 0 };
    new AudioWorkletNode(context, "steps", options).connect(context.destination);
    const samples = (await context.startRendering()).getChannelData(0);
    return [samples[0], samples[128]];
  },
  async runtime() {
    const { aot, load } = await import("./runtime.js");
    const model = await load(location.href, { backends: aot() });
    const { engine, proven } = model.selection;
    return [model.stream().runSync({ x }).y.data[0], proven, engine];
  },
};
const answerOf = (worker, compiled) => new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.postMessage(compiled);
});`;
const worker = `
import { compile, start } from "./aot-loader.js";
onmessage = async ({ data }) => {
  const { runSync } = start(data ?? await compile()).stream();
  postMessage(runSync({ x: new Float32Array(${length}).fill(1) }).y[0]);
};`;
const worklet = `
import { start } from "./aot-loader.js";
registerProcessor("steps", class extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.step = start(processorOptions).stream().runSync;
    this.inputs = { x: new Float32Array(${length}).fill(1) };
    this.outputs = { y: new Float32Array(${length}) };
  }
  process(inputs, [[channel]]) {
    this.step(this.inputs, this.outputs);
    channel.fill(this.outputs.y[0]);
    return true;
  }
});`;

describe.skipIf(chromiumPath === null)("a compiled model in Chromium", () => {
  let browser: Browser;
  let server: Server;
  let base: string;
  let moduleType = "application/wasm";
  let damaged = "nothing";

  beforeAll(async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: 'export { load } from "../index.js"; export { aot } from "./aot.js";',
        resolveDir: fileURLToPath(new URL(".", import.meta.url)),
        loader: "ts",
      },
      bundle: true,
      format: "esm",
      platform: "browser",
      conditions: ["@pare/source"],
      write: false,
    });
    const files: ReadonlyMap<string, Uint8Array | string> = new Map<string, Uint8Array | string>([
      ...bundle,
      ["", '<!doctype html><script type="module" src="page.js"></script>'],
      ...Object.entries({ "page.js": page, "worker.js": worker, "worklet.js": worklet }),
      ["runtime.js", outputFiles[0]?.text ?? ""],
    ]);
    const typeOf = (path: string): string => {
      if (path === "") return "text/html";
      if (path.endsWith(".js")) return "text/javascript";
      return path.endsWith(".wasm") ? moduleType : "application/octet-stream";
    };
    server = createServer((request, response) => {
      const path = (request.url ?? "").slice(1);
      const file = files.get(path);
      const headers = { "content-type": typeOf(path), "content-security-policy": policy };
      const sent = path.endsWith(damaged) ? "others" : file;
      response.writeHead(file === undefined ? 404 : 200, headers).end(sent);
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    server.closeAllConnections();
    server.close();
  });

  it.each([
    ["page", "application/wasm", 1],
    ["page", "text/plain", 1],
    ["worker", "application/wasm", 1],
    ["posted", "application/wasm", 1],
    ["worklet", "application/wasm", [1, 2]],
    ["runtime", "application/wasm", [1, true, "WebAssembly (relaxed SIMD)"]],
    ["runtime", "text/plain", [1, true, "WebAssembly (relaxed SIMD)"]],
  ])("runs under a strict policy: %s, from a server that says %s", async (place, type, answer) => {
    moduleType = type;
    const tab = await browser.newPage();
    try {
      await tab.goto(base);
      // What waits for a function evaluates it in the page, which the policy forbids.
      await expect
        .poll(() => tab.evaluate("'places' in globalThis"), { timeout: 30_000 })
        .toBe(true);
      expect(await tab.evaluate(`places.${place}()`)).toEqual(answer);
      expect(await tab.evaluate("violations")).toEqual([]);
    } finally {
      await tab.close();
    }
  });

  // Where an origin is insecure nothing hashes on a page: `fetch` does.
  it.each([
    ["secure", "nothing", 1],
    ["secure", ".wasm", "NETWORK"],
    ["insecure", "nothing", 1],
    ["insecure", ".wasm", "NETWORK"],
  ])("on %s origins, with others in the place of %s: %s", async (origin, ending, answer) => {
    const tab = await browser.newPage();
    try {
      await tab.route("http://insecure.test/**", async (route) => {
        const url = route.request().url().replace("http://insecure.test/", base);
        await route.fulfill({ response: await route.fetch({ url }) });
      });
      await tab.goto(origin === "secure" ? base : "http://insecure.test/");
      await expect
        .poll(() => tab.evaluate("'places' in globalThis"), { timeout: 30_000 })
        .toBe(true);
      expect(await tab.evaluate("isSecureContext")).toBe(origin === "secure");
      damaged = ending;
      expect(await tab.evaluate("places.page().catch(({ code }) => code)")).toBe(answer);
    } finally {
      damaged = "nothing";
      await tab.close();
    }
  });
});
