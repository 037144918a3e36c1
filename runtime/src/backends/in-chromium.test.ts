import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { build as buildByVite } from "vite";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromiumPath, launchChromium } from "../../../docs/examples/testing/chromium.js";
import { bundlePlain } from "../../scripts/bundle-plain.mjs";
import { makeBundle } from "../../test-models/write-bundle.js";

const ort = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/wasm"));
const isolation = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};
const { files: bundle } = await makeBundle();

/** What a page says of one load and run. */
interface Said {
  readonly y?: readonly number[];
  readonly code?: string;
  readonly hint?: string;
  readonly message?: string;
  readonly cause?: string;
  readonly tried?: readonly { readonly code?: string; readonly variant: string | null }[];
  readonly ms: number;
  readonly workers: number;
}

describe.skipIf(chromiumPath === null)("onnxruntime-web on a page", () => {
  let browser: Browser;
  let folder: string;
  let server: Server;
  let base: string;
  /** By path: what is answered in place of what there is. */
  let instead: Record<string, (response: ServerResponse) => void> = {};
  let headers: Record<string, string> = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pare-page-"));
    await bundlePlain(join(folder, "pare.js"));
    await writeFile(join(folder, "app.js"), await appInOneFile());
    await buildInOneChunk(join(folder, "vite"));
    browser = await launchChromium();
    server = createServer((request, response) => {
      const path = new URL(request.url ?? "", "http://x").pathname;
      const own = instead[path];
      if (own !== undefined) return own(response);
      void fileAt(folder, path).then((bytes) =>
        bytes === null
          ? response.writeHead(404, headers).end()
          : response
              .writeHead(200, {
                ...headers,
                "content-type": typeOf(path),
                "content-length": Buffer.byteLength(bytes),
              })
              .end(bytes),
      );
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  beforeEach(() => {
    [instead, headers] = [{}, isolation];
  });
  afterAll(async () => {
    await browser.close();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = async (path = "page.html"): Promise<Page> => {
    const page = await browser.newPage();
    await page.goto(base + path);
    await page.waitForFunction("globalThis.run !== undefined");
    return page;
  };
  const visit = async (look: (page: Page) => Promise<void>, path?: string): Promise<void> => {
    const page = await open(path);
    try {
      await look(page);
    } finally {
      await page.close();
    }
  };
  /** @param options of `wasm`, as JSON */
  const run = (page: Page, options: object = {}): Promise<Said> =>
    page
      .evaluate<Omit<Said, "workers">>(`run(${JSON.stringify(options)})`)
      .then((said) => ({ ...said, workers: page.workers().length }));
  const right = { y: [3, 5, 7] };

  it("runs from one file, without an import map, with threads where the page is isolated", () =>
    visit(async (page) => {
      expect(await run(page, { threads: 2 })).toMatchObject({ ...right, workers: 1 });
    }));

  const page = (response: ServerResponse): void =>
    void response
      .writeHead(200, { ...headers, "content-type": "text/html" })
      .end("<!doctype html><title>App</title>");
  const gone = (response: ServerResponse): void => void response.writeHead(404, headers).end();
  const old = (response: ServerResponse): void =>
    void response
      .writeHead(200, { ...headers, "content-type": "text/javascript" })
      .end('export const env = { versions: { common: "1.21.0" }, wasm: {} };');

  it.each<[string, string, object, Record<string, (response: ServerResponse) => void>, RegExp]>([
    ["no engine", "ENGINE_MISSING", {}, { "/ort.wasm.bundle.min.mjs": gone }, /npm install/],
    ["an old engine", "ENGINE_VERSION", {}, { "/ort.wasm.bundle.min.mjs": old }, /1\.22/],
    [
      "the app's page as .wasm",
      "ENGINE_PAGE",
      {},
      { "/ort-wasm-simd-threaded.wasm": page },
      /wasmPaths/,
    ],
    ["no .wasm", "ENGINE_NOT_FOUND", {}, { "/ort-wasm-simd-threaded.wasm": gone }, /wasmPaths/],
    ["a wrong path", "ENGINE_NOT_FOUND", { wasmPaths: "/nowhere/" }, {}, /wasmPaths/],
    ["the app's page at a wrong path", "ENGINE_PAGE", { wasmPaths: "/spa/" }, {}, /wasmPaths/],
    [
      "no module for threads",
      "ENGINE_NOT_FOUND",
      { wasmPaths: { mjs: "/nowhere.mjs" } },
      {},
      /wasmPaths/,
    ],
  ])("says what is wrong in time, and can load then: %s", (_, code, options, answers, cure) =>
    visit(async (tab) => {
      instead = { ...answers, "/spa/ort-wasm-simd-threaded.wasm": page };
      const said = await run(tab, options);
      expect(said).toMatchObject({
        code,
        hint: expect.stringMatching(cure),
        tried: expect.arrayContaining([expect.objectContaining({ code })]),
      });
      expect(said.ms).toBeLessThan(5_000);
      instead = {};
      // A module that was found holds until the page is left.
      if (code === "ENGINE_VERSION") await tab.reload();
      await tab.waitForFunction("globalThis.run !== undefined");
      expect(await run(tab)).toMatchObject(right);
    }),
  );

  it("says that a policy forbids WebAssembly", async () => {
    headers = { ...isolation, "content-security-policy": "script-src 'self'" };
    await visit(async (tab) => {
      for (const said of [await run(tab), await run(tab)]) {
        expect(said).toMatchObject({
          code: "ENGINE_POLICY",
          hint: expect.stringContaining("wasm-unsafe-eval"),
        });
        expect(said.ms).toBeLessThan(5_000);
      }
    });
  });

  it("says that threads need isolation, and runs with one", async () => {
    headers = {};
    await visit(async (tab) => {
      expect(await run(tab, { threads: 2 })).toMatchObject({
        code: "NOT_ISOLATED",
        hint: expect.stringContaining("Cross-Origin-Opener-Policy"),
      });
      expect(await run(tab)).toMatchObject({ ...right, workers: 0 });
    });
  });

  it("says that threads need memory to share, which not every browser has on isolated pages", () =>
    visit(async (tab) => {
      await tab.evaluate("delete globalThis.SharedArrayBuffer");
      expect(await run(tab, { threads: 2 })).toMatchObject({
        code: "NOT_ISOLATED",
        message: expect.stringContaining("SharedArrayBuffer"),
      });
      expect(await run(tab)).toMatchObject({ ...right, workers: 0 });
    }));

  it("refuses other threads than the first model's, and runs with those", () =>
    visit(async (tab) => {
      expect(await run(tab, { threads: 1 })).toMatchObject(right);
      expect(await run(tab, { threads: 2 })).toMatchObject({
        code: "ENGINE_THREADS",
        hint: expect.stringContaining("the same threads"),
      });
      expect(await run(tab, { threads: 1 })).toMatchObject(right);
    }));

  it("has one thread where a bundler put the app into its module, and runs", () =>
    visit(async (tab) => {
      expect(await run(tab)).toMatchObject({ ...right, workers: 0 });
    }, "app.html"));

  it.each([{}, { threads: 2 }])(
    "has threads by itself where the bundler emits the engine's own file: %j",
    (options) =>
      visit(async (tab) => {
        // What it takes by itself depends on the machine's cores; that it does not hang does not.
        const said = await run(tab, options);
        expect(said).toMatchObject(right);
        if ("threads" in options) expect(said.workers).toBe(1);
      }, "vite/"),
  );

  it("ships one engine with one backend's entry", async () => {
    const built = await readdir(join(folder, "vite/assets"));
    expect(built.filter((name) => name.endsWith(".wasm"))).toEqual([
      expect.stringMatching(/^ort-wasm-simd-threaded-[\w-]+\.wasm$/),
    ]);
  });

  it("refuses threads that were asked for there, at once, and runs without them", () =>
    visit(async (tab) => {
      const said = await run(tab, { threads: 2 });
      expect(said).toMatchObject({
        code: "ENGINE_NOT_FOUND",
        message: expect.stringContaining("no .mjs is known"),
        hint: expect.stringContaining("wasmPaths"),
      });
      expect(said.ms).toBeLessThan(5_000);
      expect(await run(tab)).toMatchObject({ ...right, workers: 0 });
    }, "app.html"));

  it.each(["/", ""])("has threads there by the paths that the hint names, after %j", (folder) =>
    visit(async (tab) => {
      const wasmPaths = {
        mjs: `${folder}ort-wasm-simd-threaded.mjs`,
        wasm: `${folder}ort-wasm-simd-threaded.wasm`,
      };
      expect(await run(tab, { threads: 2, wasmPaths })).toMatchObject({ ...right, workers: 1 });
    }, "app.html"),
  );

  it("gives up an engine whose server stalls", async () => {
    instead = {
      "/ort-wasm-simd-threaded.wasm": (response) =>
        void response.writeHead(200, headers).write("\0asm"),
    };
    await visit(async (tab) => {
      await tab.evaluate(
        "{ const real = setTimeout; globalThis.setTimeout = (work, ms) => real(work, ms === 30000 ? 300 : ms); }",
      );
      expect(await run(tab)).toMatchObject({
        code: "NETWORK",
        message: expect.stringContaining("stalled"),
      });
      instead = {};
      expect(await run(tab)).toMatchObject(right);
    });
  });

  it("leaves off an engine that nobody waits for any more, and begins anew for who comes then", async () => {
    let isAsked = false;
    let isClosed = false;
    instead = {
      "/ort-wasm-simd-threaded.wasm": (response) => {
        isAsked = true;
        response.on("close", () => (isClosed = true));
        response.writeHead(200, headers).write("\0asm");
      },
    };
    await visit(async (tab) => {
      const left = run(tab);
      await expect.poll(() => isAsked).toBe(true);
      await tab.evaluate("abort.abort()");
      expect(await left).toMatchObject({ code: "ABORTED" });
      await expect.poll(() => isClosed).toBe(true);
      instead = {};
      const said = await run(tab);
      expect(said).toMatchObject(right);
      expect(said.ms).toBeLessThan(10_000);
    });
  });

  it("keeps models in Cache Storage as the README shows it", async () => {
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    const [, code = ""] = /```js\n( *const store = [^]*?) *await load\(/.exec(readme) ?? [];
    await visit(async (tab) => {
      await tab.evaluate(`(() => {${code} globalThis.keep = keep; })()`);
      const asked: string[] = [];
      tab.on("request", (request) => asked.push(request.url()));
      expect(await run(tab, { keeps: true })).toMatchObject(right);
      await expect
        .poll(() =>
          tab.evaluate(
            "caches.open('models').then((kept) => kept.keys()).then(({ length }) => length)",
          ),
        )
        .toBe(1);
      expect(await run(tab, { keeps: true })).toMatchObject(right);
      expect(asked.filter((url) => url.includes("/variants/"))).toHaveLength(1);
    });
  });

  it("takes addresses from the page's base", () =>
    visit(async (tab) => {
      await tab.evaluate(
        "document.head.append(Object.assign(document.createElement('base'), { href: '/' })); history.pushState({}, '', '/deep/route/');",
      );
      const said = await run(tab, { address: "affine.pare/", wasmPaths: "." });
      expect(said).toMatchObject(right);
    }));

  it("runs again where the app has the engine compute in a worker, which takes arrays away", () =>
    visit(async (tab) => {
      const answers = await tab.evaluate(`(async () => {
        const { env } = await import("/ort.wasm.bundle.min.mjs");
        env.wasm.proxy = true;
        const { load, wasm } = await import("/pare.js");
        const { run } = await load("/affine.pare/", { backends: wasm({ threads: 1 }) });
        const shift = Float32Array.of(1, 1, 1);
        const data = Float32Array.of(1, 2, 3);
        const answer = async () => [...(await run({ x: { type: "float32", dims: [1, 3], data }, shift })).y.data];
        return [await answer(), await answer()];
      })()`);
      expect(answers).toEqual([right.y, right.y]);
      expect(tab.workers()).toHaveLength(1);
    }));

  it("counts the engine's bytes in progress, which ends when it came", () =>
    visit(async (tab) => {
      await run(tab);
      const seen = await tab.evaluate<[number, number][]>("progress");
      const { length } = await readFile(join(ort, "ort-wasm-simd-threaded.wasm"));
      const whole = length + ([...bundle.values()][1]?.length ?? 0);
      expect(seen.at(-1)).toEqual([whole, whole]);
      expect(seen.filter(([received, total]) => received >= total)).toHaveLength(1);
    }));
});

/** What both pages do with what they import. */
const script = `
globalThis.progress = [];
globalThis.run = async ({ address = "/affine.pare/", keeps = false, ...options }) => {
  const began = performance.now();
  const took = () => ({ ms: performance.now() - began });
  try {
    const onProgress = ({ receivedBytes, totalBytes }) => progress.push([receivedBytes, totalBytes]);
    const fetch = keeps ? keep : undefined;
    const { signal } = (globalThis.abort = new AbortController());
    const model = await load(address, { backends: wasm(options), onProgress, fetch, signal });
    const x = { type: "float32", dims: [1, 3], data: Float32Array.of(1, 2, 3) };
    const { y } = await model.run({ x, shift: Float32Array.of(1, 1, 1) });
    await model.dispose();
    return { y: [...y.data], ...took() };
  } catch ({ code, hint, message, cause, tried }) {
    return { code, hint, message, cause: String(cause), tried, ...took() };
  }
};`;

/** An app, the runtime and the engine in one file, as a bundler without chunks makes it. */
async function appInOneFile(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `
import { load } from "./index.js";
import { wasm } from "./backends/ort-wasm.js";
document.title = "App";
${script}`,
      resolveDir: fileURLToPath(new URL("..", import.meta.url)),
      loader: "js",
    },
    bundle: true,
    format: "esm",
    platform: "browser",
    conditions: ["@pare/source"],
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

/** The same by Vite, which emits what it finds behind `new URL`: the engine's files, apart from the one chunk. */
async function buildInOneChunk(outDir: string): Promise<void> {
  await mkdir(new URL("../../../.cache", import.meta.url), { recursive: true });
  const root = await mkdtemp(fileURLToPath(new URL("../../../.cache/vite-", import.meta.url)));
  try {
    await writeFile(join(root, "index.html"), '<script type="module" src="main.js"></script>');
    const from = (path: string): string =>
      JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
    await writeFile(
      join(root, "main.js"),
      `import { load } from ${from("../index.ts")}; import { wasm } from ${from("./ort-wasm.ts")};
document.title = "App";${script}`,
    );
    await buildByVite({
      root,
      configFile: false,
      logLevel: "error",
      base: "/vite/",
      resolve: { conditions: ["@pare/source", "browser", "module"] },
      build: {
        outDir,
        target: "es2022",
        rolldownOptions: { output: { codeSplitting: false } },
      },
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function fileAt(folder: string, path: string): Promise<Uint8Array | string | null> {
  if (path === "/page.html")
    return `<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>`;
  if (path === "/app.html")
    return `<!doctype html><link rel="icon" href="data:,"><script type="module" src="app.js"></script>`;
  if (path === "/page.js") return `import { load, wasm } from "./pare.js";${script}`;
  const name = path === "/vite/" ? "vite/index.html" : path.slice(1);
  if (name.startsWith("affine.pare/")) return bundle.get(name.slice("affine.pare/".length)) ?? null;
  const place = /^(pare\.js|app\.js|vite\/)/.test(name) ? folder : ort;
  return readFile(join(place, name)).catch(() => null);
}

function typeOf(path: string): string {
  if (/\.m?js$/.test(path)) return "text/javascript";
  if (/\.html$|\/$/.test(path)) return "text/html";
  return path.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
}
