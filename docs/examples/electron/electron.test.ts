import { type ChildProcess, execFile, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile, rm } from "node:fs/promises";
import { get } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { load } from "@pare/runtime";
import { cpu } from "@pare/runtime/ort-node";
import { _electron } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath, launchChromium } from "../testing/chromium.js";
import { writeDigitsBundle } from "../testing/digits-bundle.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
// Below the repository, so that packages are found by walking up; git ignores the folder.
const app = here("../../../.cache/examples/electron/app");
const parts = [
  "package.json",
  "main.js",
  "answer.js",
  "start-classifier.js",
  "classifier.js",
  "preload.cjs",
  "page",
];

let pixels: number[];
let reference: number[];

beforeAll(async () => {
  await rm(app, { recursive: true, force: true });
  await mkdir(app, { recursive: true });
  // The page imports the runtime as one file, which only a whole build makes.
  await promisify(execFile)(process.execPath, [here("../../../runtime/scripts/build-plain.mjs")]);
  for (const part of parts) await cp(here(part), join(app, part), { recursive: true });
  await writeDigitsBundle(join(app, "digits.pare"));
  pixels = JSON.parse(await readFile(here("page/seven.json"), "utf8")) as number[];
  await using model = await load(join(app, "digits.pare"), { backends: [cpu()] });
  const x = { type: "float32", dims: [1, 1, 28, 28], data: Float32Array.from(pixels) } as const;
  reference = Array.from((await model.run({ x }))["logits"]?.data as Float32Array);
});
afterAll(() => rm(join(app, ".."), { recursive: true, force: true }));

function expectSame(logits: readonly number[]): void {
  expect(logits).toEqual(reference.map((logit) => expect.closeTo(logit, 3)));
}

describe("the Electron example", () => {
  it("is what the guide shows", async () => {
    const guide = await readFile(here("../../guides/electron.md"), "utf8");
    const blocks = [...guide.matchAll(/^```(?:js|json)\n(?:\/\/ in (\S+)\n)?([^]*?)^```$/gm)];
    expect(blocks.length).toBeGreaterThan(4);
    // But for how it is indented.
    const bare = (text: string): string => text.replaceAll(/\s+/g, " ");
    for (const [, file = "package.json", code = ""] of blocks)
      expect(bare(await readFile(here(file), "utf8"))).toContain(bare(code));
  });

  it("classifies in the utility process's script, wherever it is started", async () => {
    const child = fork(join(app, "classifier.js"), {
      cwd: tmpdir(),
      execArgv: ["--import", pathToFileURL(here("../testing/parent-port.mjs")).href],
    });
    try {
      child.send({ id: 1, pixels });
      const [{ id, logits }] = (await once(child, "message")) as [
        { id: number; logits: readonly number[] },
      ];
      expect(id).toBe(1);
      expectSame(logits);
    } finally {
      child.kill();
    }
  });

  describe("what its protocol answers", () => {
    let server: ChildProcess;
    let url: string;
    beforeAll(async () => {
      server = spawn(
        process.execPath,
        [here("../testing/answer-over-http.mjs"), join(app, "answer.js")],
        { cwd: tmpdir(), stdio: ["ignore", "pipe", "inherit"] },
      );
      const [line] = (await once(server.stdout ?? server, "data")) as [Buffer];
      url = line.toString().trim();
    });
    afterAll(() => server.kill());

    /** As it is written: `fetch` would resolve the dots. */
    const status = (path: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(url);
        get({ hostname, port, path }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        }).on("error", reject);
      });

    it.each([
      "/",
      "/main.js",
      "/digits.pare/manifest.json",
      "/pare/pare.js",
      "/pare/ort.wasm.bundle.min.mjs",
    ])("is a file for %s", async (path) => expect(await status(path)).toBe(200));

    it.each([
      "/preload.cjs",
      "/../preload.cjs",
      "/%2e%2e/preload.cjs",
      "/..%2fpreload.cjs",
      "/..%5cpreload.cjs",
      "/digits.pare/../../preload.cjs",
      "/digits.pare/..%2f..%2fpreload.cjs",
      "//etc/hostname",
      "/file:///etc/hostname",
    ])("is nothing for %s", async (path) => expect(await status(path)).toBe(404));

    it.skipIf(chromiumPath === null)(
      "is a page that classifies in Chromium (skipped where none is installed)",
      async () => {
        const browser = await launchChromium();
        try {
          const page = await browser.newPage();
          await page.goto(url);
          const output = page.locator("#wasm:not(:empty)");
          expectSame(((await output.textContent()) ?? "").split(" ").map(Number));
          expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
        } finally {
          await browser.close();
        }
      },
    );
  });

  const executablePath = electronPath();
  it.skipIf(executablePath === null)("runs in Electron (skipped where there is none)", async () => {
    const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
    const running = await _electron.launch({
      executablePath: executablePath ?? "",
      args: [...sandbox, app],
      cwd: tmpdir(),
    });
    try {
      const window = await running.firstWindow();
      for (const id of ["cpu", "wasm"]) {
        const text = await window.locator(`#${id}:not(:empty)`).textContent();
        expectSame((text ?? "").split(" ").map(Number));
      }
      expect(await window.evaluate(() => crossOriginIsolated)).toBe(true);
    } finally {
      await running.close();
    }
  });
});

/** Where `npm i --no-save electron` has put it; null where it has not. */
function electronPath(): string | null {
  try {
    return createRequire(import.meta.url)("electron") as string;
  } catch {
    return null;
  }
}
