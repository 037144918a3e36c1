import { copyFile, cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { load } from "@pare/runtime";
import { aot } from "@pare/runtime/aot";
import { parseManifest } from "@pare/runtime/format";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chromiumPath, launchChromium } from "../examples/testing/chromium.js";
import { serve } from "../examples/testing/serve.js";
import { block, blocks, Reader, root } from "./guide.test.support.js";

const guide = "a-model-in-30-kb";
let reader: Reader;
let printed = "";
/** The bundle's folder. */
let small = "";

beforeAll(async () => {
  reader = await Reader.start(guide);
  await reader.thinOut(3, "mnist.mjs", "mnist-training.mjs");
  printed = (await reader.follow(guide)).map(({ stdout }) => stdout).join("");
  small = join(reader.place, "small.pare");
}, 600_000);
afterAll(() => reader.leave());

it("says what it shows, and makes a module of less than 30 KB that is nearly as right", async () => {
  for (const shown of await blocks(guide, "text")) expect(printed).toContain(shown.trimEnd());
  expect(printed).toMatch(/logits +float32 \[1, 10\]/);
  const manifest = parseManifest(JSON.parse(await readFile(join(small, "manifest.json"), "utf8")));
  const module = manifest.variants.find(({ target }) => target === "aot");
  // A third of the samples taught it, and a third of them test it: one digit is .0015. On a busy machine fewer are looked at.
  expect(module?.accuracy?.value).toBeGreaterThan(0.88);
  expect(module?.accuracy?.drop).toBeLessThanOrEqual(0.01);
  const files = await Promise.all(
    (module?.files ?? []).map(({ path }) => readFile(join(small, path))),
  );
  const download = files.reduce((sum, bytes) => sum + brotliCompressSync(bytes).length, 0);
  expect(download).toBeGreaterThan(1000);
  expect(download).toBeLessThan(30_000);
});

it("reads a seven without an engine", async () => {
  const model = await load(small, { backends: [aot()] });
  expect(model.selection).toMatchObject({ target: "aot", proven: true });
  const seven = JSON.parse(await readFile(join(root, "docs/guides/seven.json"), "utf8"));
  const data = Float32Array.from(seven.flat(3));
  const { logits } = await model.run({ x: { type: "float32", dims: [1, 1, 28, 28], data } });
  expect(largest([...(logits?.data ?? [])].map(Number))).toBe(7);
  await model.dispose();
});

it.skipIf(chromiumPath === null)("is a page that downloads no more than it says", async () => {
  const site = join(reader.place, "site");
  await mkdir(site);
  await cp(small, join(site, "small.pare"), { recursive: true });
  await copyFile(join(root, "docs/guides/seven.json"), join(site, "seven.json"));
  await writeFile(join(site, "index.html"), await block(guide, "html"));
  await writeFile(join(reader.place, "main.js"), await block(guide, "js"));
  await build({
    entryPoints: [join(reader.place, "main.js")],
    outfile: join(site, "app.js"),
    bundle: true,
    minify: true,
    format: "esm",
    conditions: ["@pare/source"],
  });
  expect(gzipSync(await readFile(join(site, "app.js"))).length).toBeLessThan(12_000);
  const [server, browser] = await Promise.all([serve(site), launchChromium()]);
  try {
    const page = await browser.newPage();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(server.url);
    await page.waitForFunction(() => document.querySelector("output")?.value);
    const logits = await page
      .locator("output")
      .evaluate((output: HTMLOutputElement) => output.value);
    expect(largest(logits.split(" ").map(Number))).toBe(7);
    const variants = await readdir(join(small, "variants"));
    const onnx = variants.filter((name) => name.endsWith(".onnx"));
    expect(onnx.length).toBeGreaterThan(0);
    for (const name of onnx) expect(asked).not.toContain(`/small.pare/variants/${name}`);
  } finally {
    await browser.close();
    await server.close();
  }
});

function largest(numbers: readonly number[]): number {
  return numbers.indexOf(Math.max(...numbers));
}
