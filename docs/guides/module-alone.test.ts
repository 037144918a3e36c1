import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chromiumPath, launchChromium } from "../examples/testing/chromium.js";
import { serve } from "../examples/testing/serve.js";
import { block, blocks, Reader } from "./guide.test.support.js";

let reader: Reader;
beforeAll(async () => {
  reader = await Reader.start("module-alone");
  for (const guide of ["audio-worklet", "workerd"]) await reader.follow(guide);
}, 600_000);
afterAll(() => reader.leave());

/** Half a second of pause, one of something like a voice, and another pause. */
const page = `
import { hear } from "./main.js";
const rate = 16_000;
globalThis.heard = async () => {
  const context = new OfflineAudioContext(1, 3 * rate, rate);
  const buffer = new AudioBuffer({ length: 3 * rate, sampleRate: rate });
  const samples = buffer.getChannelData(0);
  let phase = 0;
  for (let at = rate; at < 2 * rate; at += 1) {
    const time = at / rate;
    phase += (2 * Math.PI * (120 + 40 * Math.sin(4.4 * time))) / rate;
    const loud = Math.max(0, Math.sin(14.45 * time)) * 0.3;
    for (let harmonic = 1; harmonic < 12; harmonic += 1)
      samples[at] += (loud * Math.sin(harmonic * phase)) / harmonic;
  }
  const source = new AudioBufferSourceNode(context, { buffer });
  const said = [];
  let heard;
  const speech = new Promise((resolve) => (heard = resolve));
  await hear(context, source, (isSpeech) => {
    said.push(isSpeech);
    if (isSpeech) heard();
  });
  source.start();
  await context.startRendering();
  // Its messages come after it.
  await Promise.race([speech, new Promise((resolve) => setTimeout(resolve, 30_000))]);
  return said;
};`;

it.skipIf(chromiumPath === null)("audio-worklet: hears when somebody speaks", async () => {
  const site = join(reader.place, "site");
  await mkdir(site);
  await cp(join(reader.place, "vad.pare"), join(site, "vad.pare"), { recursive: true });
  const [processor = "", main = ""] = await blocks("audio-worklet", "js");
  await writeFile(join(site, "processor.js"), processor);
  await writeFile(join(site, "main.js"), main);
  await writeFile(join(site, "page.js"), page);
  await writeFile(join(site, "index.html"), '<script type="module" src="page.js"></script>');
  const [server, browser] = await Promise.all([serve(site), launchChromium()]);
  try {
    const tab = await browser.newPage();
    await tab.goto(server.url);
    await expect.poll(() => tab.evaluate("'heard' in globalThis"), { timeout: 30_000 }).toBe(true);
    const said = await tab.evaluate<boolean[]>("heard()");
    expect(said[0]).toBe(false);
    expect(said).toContain(true);
  } finally {
    await browser.close();
    await server.close();
  }
});

it("workerd: takes a module and weights that are imported", async () => {
  await writeFile(join(reader.place, "worker.js"), await block("workerd", "js"));
  const { metafile, outputFiles } = await build({
    entryPoints: [join(reader.place, "worker.js")],
    bundle: true,
    format: "esm",
    platform: "neutral",
    conditions: ["workerd"],
    external: ["*.wasm", "*.bin"],
    metafile: true,
    write: false,
  });
  const imported = Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.map(({ path }) => path.replace(/^.*\./, "")),
  );
  expect(imported).toContain("wasm");
  expect(outputFiles[0]?.text).toContain("runSync");
});
