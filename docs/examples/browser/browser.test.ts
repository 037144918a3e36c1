import type { Browser, Page } from "playwright-core";
import { load } from "@pare/runtime";
import { cpu } from "@pare/runtime/ort-node";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bundler, makeApp, type Place, serveApp } from "../testing/apps.js";
import { chromiumPath, launchChromium } from "../testing/chromium.js";
import type { Server } from "../testing/serve.js";

interface Result {
  readonly error?: string;
  readonly digit: number;
  readonly logits: readonly number[];
  readonly selection: { readonly chosen: string; readonly engine: string; readonly proven: boolean };
}

const cases: readonly [Bundler, Place][] = [
  ["vite-dev", "inside"],
  ["vite-dev", "outside"],
  ["vite-dev", "installed"],
  ["vite-build", "inside"],
  ["vite-build", "outside"],
  ["vite-build", "installed"],
  ["webpack", "inside"],
  ["webpack", "outside"],
  ["webpack", "installed"],
];

describe.skipIf(chromiumPath === undefined)("the browser example (skipped where no Chromium is installed)", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  describe.each(cases)("by %s, the bundle %s", (bundler, place) => {
    let app: string;
    let server: Server;
    beforeAll(async () => {
      app = await makeApp(`${bundler}-${place}`, place);
      server = await serveApp(app, bundler);
    });
    afterAll(() => server?.close());

    const everywhere = ["target=wasm", "target=wasm&in=worker", "target=wasm&threads=2", "target=wasm&threads=2&in=worker", "target=wasm&from=static"];
    const onGpu = bundler === "vite-build" && place === "inside" ? ["target=webgpu", "target=webgpu&in=worker"] : [];

    it.each([...everywhere, ...onGpu])("%s", async (choice) => {
      const { result, pixels, workers } = await visit(browser, `${server.url}?${choice}`);
      expect(result.error).toBeUndefined();
      expect(result).toMatchObject({ digit: 7, selection: { chosen: expect.stringContaining(choice.includes("webgpu") ? "webgpu" : "wasm"), proven: true } });
      expect(result.logits).toEqual((await expected(app, pixels)).map((logit) => expect.closeTo(logit, 3)));
      if (choice.includes("threads=2")) expect(workers).toBeGreaterThan(choice.includes("in=worker") ? 0 : 0);
    });
  });
});

/** Opens a page, waits for its answer, and gives what it drew. */
async function visit(browser: Browser, url: string): Promise<{ result: Result; pixels: number[]; workers: number }> {
  const page = await browser.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  try {
    await page.goto(url);
    await page.waitForFunction(() => document.querySelector("output")?.dataset["result"], null, { timeout: 30_000 }).catch((error: unknown) => {
      throw new Error(`${String(error)}\nThe page said:\n${said.join("\n")}`);
    });
    const result = JSON.parse((await page.locator("output").getAttribute("data-result")) ?? "") as Result;
    return { result, pixels: await drawn(page), workers: page.workers().length };
  } finally {
    await page.close();
  }
}

function drawn(page: Page): Promise<number[]> {
  return page.evaluate(() => {
    const data = document.querySelector("canvas")?.getContext("2d")?.getImageData(0, 0, 28, 28).data ?? [];
    return Array.from({ length: 784 }, (_, i) => (data[4 * i] ?? 0) / 255);
  });
}

/** What the native engine answers to the same pixels, from the same bundle. */
async function expected(app: string, pixels: readonly number[]): Promise<number[]> {
  const model = await load(join(app, "public/digits.pare"), { backends: [cpu()] });
  try {
    const { logits } = await model.run({ x: { type: "float32", dims: [1, 1, 28, 28], data: Float32Array.from(pixels) } });
    return Array.from(logits?.data as Float32Array);
  } finally {
    await model.dispose();
  }
}
