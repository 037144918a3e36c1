import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { load } from "@pare/runtime";
import { type Manifest, parseManifest } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Bundler,
  closeApp,
  makeApp,
  makeTinyApp,
  type Place,
  serveApp,
} from "../testing/apps.js";
import { chromiumPath, launchChromium } from "../testing/chromium.js";
import type { Server } from "../testing/serve.js";

interface Result {
  readonly error?: string;
  readonly digit: number;
  readonly logits: readonly number[];
  readonly selection: {
    readonly chosen: string;
    readonly engine: string;
    readonly proven: boolean;
  };
}

/** Milliseconds; a build may have to share its cores. */
const bundling = 120_000;

/**
 * Every bundler and every place once; the proof line/the-bundle-runs-everywhere goes through all pairs of them, and leaves
 * webpack its own minifier.
 */
const cases: readonly [Bundler, Place, readonly string[]][] = [
  ["vite-dev", "outside", ["target=wasm"]],
  ["webpack", "installed", ["target=wasm&threads=2&in=worker"]],
];

describe.skipIf(chromiumPath === null)(
  "the browser example (skipped where no Chromium is installed)",
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterAll(() => browser.close());

    const expectSeven = async (app: string, url: string, choice: string): Promise<void> => {
      const { result, pixels, workers } = await visit(browser, `${url}?${choice}`);
      expect(result.error).toBeUndefined();
      expect(result).toMatchObject({
        digit: 7,
        selection: {
          chosen: expect.stringContaining(choice.includes("webgpu") ? "webgpu" : "wasm"),
          proven: true,
        },
      });
      expect(result.logits).toEqual(
        (await expected(app, pixels)).map((logit) => expect.closeTo(logit, 3)),
      );
      // A worker's own threads do not show from outside; a page's do.
      if (choice.endsWith("threads=2")) expect(workers).toBeGreaterThan(0);
    };

    it.each(cases)(
      "runs by %s, the bundle %s (%s)",
      async (bundler, place, choices) => {
        const app = await makeApp(`${bundler}-${place}`, place);
        let server: Server | undefined;
        try {
          server = await serveApp(app, bundler, "esbuild");
          for (const choice of choices) await expectSeven(app, server.url, choice);
        } finally {
          await closeApp(app, server);
        }
      },
      bundling,
    );

    describe("built by Vite, the bundle inside", () => {
      let app: string;
      let server: Server;
      beforeAll(async () => {
        app = await makeApp("vite-build-inside", "inside");
        server = await serveApp(app, "vite-build");
      }, bundling);
      afterAll(() => closeApp(app, server));

      it.each([
        "target=wasm",
        "target=wasm&threads=2",
        "target=wasm&threads=2&in=worker",
        "target=wasm&from=static",
        "target=webgpu",
      ])("runs: %s", (choice) => expectSeven(app, server.url, choice));

      const bundleFile = (path: string): string => join(app, "dist/digits.pare", path);
      const damaged = async (
        path: string,
        damage: (bytes: Uint8Array) => Uint8Array | string,
        look: () => Promise<void>,
      ): Promise<void> => {
        const bytes = await readFile(bundleFile(path));
        await writeFile(bundleFile(path), damage(Uint8Array.from(bytes)));
        try {
          await look();
        } finally {
          await writeFile(bundleFile(path), bytes);
        }
      };
      const manifest = async (): Promise<Manifest> =>
        parseManifest(JSON.parse(await readFile(bundleFile("manifest.json"), "utf8")));
      const variantPath = async (target: string): Promise<string> =>
        (await manifest()).variants.find((variant) => variant.target === target)?.files[0]?.path ??
        "";

      it("prefers WebAssembly to a GPU that is emulated", async () => {
        const { result } = await visit(browser, `${server.url}?from=static`);
        expect(result.selection).toMatchObject({ chosen: "wasm-float32", proven: true });
      });

      it("uses the next variant where one byte of one is flipped, and says why", async () => {
        await damaged(await variantPath("wasm"), flipped, async () => {
          const { result } = await visit(browser, `${server.url}?from=static`);
          expect(result.selection).toMatchObject({
            chosen: "webgpu-float32",
            tried: [
              {
                variant: "wasm-float32",
                ok: false,
                reason: expect.stringContaining("its sha256 is not the manifest's"),
              },
              { variant: "webgpu-float32", ok: true },
            ],
          });
        });
      });

      it.each<[string, string | null, (bytes: Uint8Array) => Uint8Array | string, RegExp]>([
        ["golden check", null, flipped, /cannot be proven/],
        [
          "manifest",
          "manifest.json",
          (bytes) => bytes.subarray(0, 100),
          /manifest\.json is damaged/,
        ],
        [
          "manifest of a newer version",
          "manifest.json",
          () => '{ "formatVersion": 99 }',
          /has format 99/,
        ],
        [
          "page instead of a manifest",
          "manifest.json",
          () => "<!doctype html>",
          /a page instead of a manifest/,
        ],
      ])("refuses a bundle with a damaged %s", async (_, path, damage, message) => {
        await damaged(path ?? (await manifest()).golden.path, damage, async () => {
          const { result } = await visit(browser, `${server.url}?from=static&target=wasm`);
          expect(result.error).toMatch(message);
        });
      });

      it("verifies without crypto.subtle, which a page over plain http does not have", async () => {
        const { result } = await visit(
          browser,
          `${server.url.replace("127.0.0.1", "pare.example")}?from=static`,
        );
        expect(result).toMatchObject({
          digit: 7,
          selection: { chosen: "wasm-float32", proven: true },
        });
      });
    });

    it("decodes a variant that the bundler inlined, which connect-src 'self' does not let it fetch", async () => {
      const app = await makeTinyApp("tiny");
      const server = await serveApp(app, "vite-build");
      try {
        const { result } = await visit(browser, server.url);
        expect(result).toEqual({ y: [3, 5, 7], inlined: true, proven: true });
      } finally {
        await closeApp(app, server);
      }
    });
  },
);

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => (index === bytes.length >> 1 ? byte ^ 1 : byte));
}

/** Opens a page, waits for its answer, and gives what it drew. */
async function visit(
  browser: Browser,
  url: string,
): Promise<{ result: Result; pixels: number[]; workers: number; secure: boolean }> {
  const page = await browser.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  try {
    await page.goto(url);
    await page
      .waitForFunction(() => document.querySelector("output")?.dataset["result"], null, {
        timeout: 90_000,
      })
      .catch((error: unknown) => {
        throw new Error(`${String(error)}\nThe page said:\n${said.join("\n")}`);
      });
    const result = JSON.parse(
      (await page.locator("output").getAttribute("data-result")) ?? "",
    ) as Result;
    return {
      result,
      pixels: await drawn(page),
      workers: page.workers().length,
      secure: await page.evaluate(() => isSecureContext),
    };
  } finally {
    await page.close();
  }
}

function drawn(page: Page): Promise<number[]> {
  return page.evaluate(() => {
    const data =
      document.querySelector("canvas")?.getContext("2d")?.getImageData(0, 0, 28, 28).data ?? [];
    return Array.from({ length: 784 }, (_, i) => (data[4 * i] ?? 0) / 255);
  });
}

/** What the native engine answers to the same pixels, from the same bundle. */
async function expected(app: string, pixels: readonly number[]): Promise<number[]> {
  const model = await load(join(app, "public/digits.pare"), { backends: [cpu()] });
  try {
    const { logits } = await model.run({
      x: { type: "float32", dims: [1, 1, 28, 28], data: Float32Array.from(pixels) },
    });
    return Array.from(logits?.data as Float32Array);
  } finally {
    await model.dispose();
  }
}
