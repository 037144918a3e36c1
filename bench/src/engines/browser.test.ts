import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnxArtifact } from "@pare/runtime/format";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { EngineBrowser } from "./browser.js";
import { findBrowser } from "./find-browser.js";
import { EngineHost, type LoadedModel } from "./host.js";

const { chromium }: typeof import("playwright-core") = createRequire(import.meta.url)(
  "playwright-core",
);
const hasBrowser = (await findBrowser()) !== null;
const file = new URL("../../../fixtures/models/mnist-cnn.onnx", import.meta.url);
const digit = {
  x: { type: "float32", dims: [1, 1, 28, 28], data: new Float32Array(784).fill(0.5) },
} as const;

describe.skipIf(!hasBrowser)("a browser of engines", () => {
  const artifact = readFile(file).then((bytes) => onnxArtifact(bytes));
  const launched: Browser[] = [];
  let isUnlucky = false;
  let engines: EngineBrowser;
  let host: EngineHost;
  beforeAll(async () => {
    const launch = chromium.launch.bind(chromium);
    vi.spyOn(chromium, "launch").mockImplementation(async (options) => {
      const browser = await launch(options);
      if (isUnlucky) failToOpen(browser);
      launched.push(browser);
      return browser;
    });
    engines = await EngineBrowser.launch();
    host = await EngineHost.start("wasm", () => engines.openChannel("wasm"));
  });
  afterAll(async () => {
    await host?.dispose();
    await engines?.dispose();
    vi.restoreAllMocks();
  });

  /** Runs until it fails: a warm-up by itself ends when times settle. */
  const busyWith = async (model: LoadedModel): Promise<never> => {
    for (;;) await host.warmUp([model], [digit], 60_000);
  };

  it("opens its page again after that crashed, which costs no more than what was running", async () => {
    const model = await host.load(await artifact);
    const running = busyWith(model);
    const crashed = expect(running).rejects.toMatchObject({
      code: "ENGINE_CRASHED",
      message: expect.stringMatching(/its page crashed/),
    });
    await crashPage(launched.at(-1));
    await crashed;
    await expect(host.run(model, digit)).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
    const again = await host.load(await artifact);
    expect((await host.run(again, digit))["logits"]?.dims).toEqual([1, 10]);
    expect(launched).toHaveLength(1);
  });

  it("is launched again after it ended, once for all engines", async () => {
    const model = await host.load(await artifact);
    const running = busyWith(model);
    const crashed = expect(running).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
    await launched.at(-1)?.close();
    await crashed;
    const [again, cold] = await Promise.all([
      host.load(await artifact),
      EngineHost.start("wasm", () => engines.openChannel("wasm")),
    ]);
    expect((await host.run(again, digit))["logits"]?.dims).toEqual([1, 10]);
    await cold.dispose();
    expect(launched).toHaveLength(2);
  });

  it("leaves no page behind that did not open", async () => {
    await crashPage(launched.at(-1));
    failToOpen(launched.at(-1));
    await expect(engines.openChannel("wasm")).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
    expect(pagesOf(launched.at(-1))).toEqual([]);
    const cold = await EngineHost.start("wasm", () => engines.openChannel("wasm"));
    await cold.dispose();
    expect(launched).toHaveLength(2);
  });

  it("leaves no browser behind whose first page did not open", async () => {
    isUnlucky = true;
    await expect(EngineBrowser.launch()).rejects.toMatchObject({ code: "ENGINE" });
    isUnlucky = false;
    expect(launched.pop()?.isConnected()).toBe(false);
  });

  it("takes the page that comes with a profile, and another one once that crashed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pare-browser-"));
    let context: BrowserContext | undefined;
    const launch = chromium.launchPersistentContext.bind(chromium);
    const spied = vi.spyOn(chromium, "launchPersistentContext");
    spied.mockImplementation(async (...args) => (context = await launch(...args)));
    const ofProfile = await EngineBrowser.launch(folder);
    try {
      const browser = context?.browser() ?? undefined;
      expect(browser?.contexts().flatMap((each) => each.pages())).toHaveLength(1);
      await crashPage(browser);
      const another = await EngineHost.start("wasm", () => ofProfile.openChannel("wasm"));
      const model = await another.load(await artifact);
      expect((await another.run(model, digit))["logits"]?.dims).toEqual([1, 10]);
      expect(spied).toHaveBeenCalledOnce();
    } finally {
      spied.mockRestore();
      await ofProfile.dispose();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("starts no engine once it was disposed of, which is a crash like others", async () => {
    await engines.dispose();
    await expect(engines.openChannel("wasm")).rejects.toMatchObject({
      code: "ENGINE_CRASHED",
      message: expect.stringMatching(/does not start: The browser was ended/),
    });
    expect(launched).toHaveLength(2);
  });
});

function pagesOf(browser: Browser | undefined): Page[] {
  return browser?.contexts().flatMap((context) => context.pages()) ?? [];
}

/** The next page goes nowhere. */
function failToOpen(browser: Browser | undefined): void {
  if (browser === undefined) throw new Error("There is no browser.");
  const newPage = browser.newPage.bind(browser);
  vi.spyOn(browser, "newPage").mockImplementationOnce(async () => {
    const page = await newPage();
    vi.spyOn(page, "goto").mockRejectedValueOnce(new Error("It does not open."));
    return page;
  });
}

async function crashPage(browser: Browser | undefined): Promise<void> {
  const [page] = pagesOf(browser);
  if (page === undefined) throw new Error("There is no page to crash.");
  const gone = new Promise((resolve) => page.once("crash", resolve));
  await page.goto("chrome://crash").catch(() => {});
  await gone;
}
