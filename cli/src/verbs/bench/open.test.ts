import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBrowser } from "@pare/bench";
import { chromium } from "playwright-core";
import { expect, it } from "vitest";

const executablePath = await findBrowser();
const program = fileURLToPath(new URL("../../../bin/pare.js", import.meta.url));
const digits = fileURLToPath(
  new URL("../../../../fixtures/models/latency/mnist.onnx", import.meta.url),
);
/** Elsewhere the platform's opener has another name. */
const isPossible = executablePath !== null && process.platform === "linux";

it.skipIf(!isPossible)(
  "opens a page that measures both engines side by side, tells the terminal, and ends with Ctrl-C",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "pare-open-"));
    const name = "<img src=x onerror='document.title=1'>\n.onnx";
    await copyFile(digits, join(folder, name));
    // What would open the default browser says where it was sent.
    const opener = join(folder, "xdg-open");
    await writeFile(opener, '#!/bin/sh\nprintf %s "$1" > "$0.address"\n');
    await chmod(opener, 0o755);
    const child = spawn(process.execPath, [program, "bench", name, "--open", "--json"], {
      cwd: folder,
      env: { ...process.env, DISPLAY: ":0", PATH: `${folder}${delimiter}${process.env["PATH"]}` },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const ended = once(child, "close");
    const browser = await chromium.launch({
      executablePath: executablePath ?? "",
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    });
    try {
      await expect.poll(() => stderr, { timeout: 60_000 }).toContain("Opened in your browser");
      const page = await browser.newPage();
      await page.goto(await readFile(`${opener}.address`, "utf8"));
      await page.waitForFunction(() => document.body.dataset["over"] === "true", null, {
        timeout: 240_000,
      });
      expect(await page.locator("h1").textContent()).toBe(name);
      expect(await page.locator("img").count()).toBe(0);
      const rows = await page.locator("tbody tr").allInnerTexts();
      expect(rows).toHaveLength(2);
      expect(rows[0]).toMatch(/wasm \(onnxruntime-web\)[^]*onnxruntime-web 1[^]*MB[^]*ms[^]*ms/);
      expect(rows[1]).toMatch(/aot \(no engine\)[^]*WebAssembly[^]*kB[^]*ms[^]*ms/);
      await expect.poll(() => stdout, { timeout: 10_000 }).toMatch(/\}\s*$/);
      child.kill("SIGINT");
      const [code] = (await ended) as [number | null];
      expect(code).toBe(0);
      expect(stderr).toContain("Measuring in Chrome");
      expect(stderr).not.toContain("\n.onnx");
      const { model, threads, rows: told } = JSON.parse(stdout) as Told;
      expect({ model, threads }).toEqual({ model: name, threads: 1 });
      expect(told.map(({ target, failure }) => ({ target, failure }))).toEqual([
        { target: "wasm", failure: null },
        { target: "aot", failure: null },
      ]);
      for (const { downloadBytes, startupMs, latencyMs } of told) {
        expect(downloadBytes.brotli).toBeGreaterThan(1000);
        expect(downloadBytes.gzip).toBeGreaterThan(downloadBytes.brotli);
        expect(startupMs).toBeGreaterThan(0);
        expect(latencyMs.p50).toBeGreaterThan(0);
      }
      // The engine is part of the download, and of one of them alone.
      expect(told[0]?.downloadBytes.raw).toBeGreaterThan(5e6);
      expect(told[1]?.downloadBytes.raw).toBeLessThan(5e5);
      await expect
        .poll(() => page.locator("#phase").textContent(), { timeout: 10_000 })
        .toBe("Done.");
    } finally {
      child.kill("SIGKILL");
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
  // It times in earnest, and other tests have the cores meanwhile.
  360_000,
);

it.skipIf(process.platform !== "linux")(
  "waits for nobody who is not told where to come",
  async () => {
    const child = spawn(
      process.execPath,
      [program, "bench", digits, "--open", "--quiet", "--json"],
      {
        env: { ...process.env, DISPLAY: "", WAYLAND_DISPLAY: "", BROWSER: "" },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    const [code] = (await once(child, "close")) as [number | null];
    expect([code, JSON.parse(stdout)]).toMatchObject([2, { error: { where: "--quiet" } }]);
  },
);

interface Told {
  readonly model: string;
  readonly threads: number;
  readonly rows: readonly {
    readonly target: string;
    readonly failure: string | null;
    readonly downloadBytes: {
      readonly raw: number;
      readonly gzip: number;
      readonly brotli: number;
    };
    readonly startupMs: number;
    readonly latencyMs: { readonly p50: number };
  }[];
}
