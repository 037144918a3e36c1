// The same as time-in-node.mjs, on a page of a driven Chromium.
import { withPage } from "./open-page.mjs";

/** What `ratioOf` says of the models in folders, each on a fresh page; null where there is no browser. */
export async function timedInChromium(models, budgetMs) {
  return withPage(models, async (open, version) => {
    const answers = [];
    for (const index of models.keys()) {
      const page = await open();
      answers.push(await page.evaluate(onPage, { index, budgetMs }));
      await page.close();
    }
    return { browser: `Chromium ${version.split(".")[0]}`, answers };
  });
}

/** Runs on the page. */
async function onPage({ index, budgetMs }) {
  const { aot } = await import("/runtime/backends/aot.js");
  const { dtypeArray } = await import("/runtime/format/index.js");
  const { ratioOf } = await import("/support/side-by-side.mjs");
  const ort = await import("/ort/ort.wasm.bundle.min.mjs");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = "/ort/";
  ort.env.logLevel = "error";
  const bytesOf = async (name) =>
    new Uint8Array(await (await fetch(`/${index}/${name}`)).arrayBuffer());
  const facts = await (await fetch(`/${index}/facts.json`)).json();
  const files = [];
  for (const name of facts.artifact.files) files.push({ name, bytes: await bytesOf(name) });
  const feeds = {};
  for (const [name, { file, type, dims }] of Object.entries(facts.feeds))
    feeds[name] = { type, dims, data: new dtypeArray[type]((await bytesOf(file)).buffer) };
  const { engine } = await aot().probe();
  const onnx = await Promise.all(facts.onnx.map(bytesOf));
  const probe = facts.probe && (await bytesOf(facts.probe));
  const artifact = { ...facts.artifact, files };
  return { engine, ...(await ratioOf({ aot, ort, artifact, onnx, probe, feeds, budgetMs })) };
}
