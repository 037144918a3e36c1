// Architectures of timm, transformers and torchvision, with weights at random, as modules next to onnxruntime-web: nobody here
// chose their shapes, and no kernel was written for them.
import { join } from "node:path";
import { exported } from "../../peers/exported.mjs";
import { findPublished } from "../../peers/python.mjs";
import { scratch } from "../shell.mjs";
import { fixedGraph, inputsOf, noiseFor } from "./support/compiled.mjs";
import { noneIsSlower } from "./support/none-is-slower.mjs";

export async function prove(tools) {
  const python = await findPublished();
  await scratch(async (folder) => {
    const files = (await exported(python, "published.py", folder)).filter(isOfFixedSizes);
    await noneIsSlower(tools, "architectures", modelsOf(folder, oncePerArchitecture(files)));
  });
}

async function* modelsOf(folder, files) {
  for (const { name, file } of files) {
    const graph = await fixedGraph({ name, path: join(folder, file) });
    yield { name, graph, feeds: noiseFor(inputsOf(graph), 1) };
  }
}

function isOfFixedSizes({ name, file }) {
  return file !== undefined && !name.endsWith("free sizes");
}

/** As one of PyTorch's exporters writes it, tracing where it can. */
function oncePerArchitecture(files) {
  const byName = new Map();
  for (const file of files) {
    const [name, exporter] = file.name.split(", ");
    if (exporter === "tracing" || !byName.has(name)) byName.set(name, { ...file, name });
  }
  return byName.values();
}
