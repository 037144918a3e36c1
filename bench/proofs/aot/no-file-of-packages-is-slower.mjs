// The ONNX files that Python packages bring along, as modules next to onnxruntime-web.
import { join } from "node:path";
import { exported, sampleOf } from "../../peers/exported.mjs";
import { findPython } from "../../peers/python.mjs";
import { scratch } from "../shell.mjs";
import { fixedGraph, inputsOf } from "./support/compiled.mjs";
import { noneIsSlower } from "./support/none-is-slower.mjs";

export async function prove(tools) {
  const python = await findPython();
  await scratch(async (folder) => {
    const files = await exported(python, "packages.py", folder);
    await noneIsSlower(tools, "files", modelsOf(folder, files));
  });
}

async function* modelsOf(folder, files) {
  for (const { name, file } of files) {
    if (file === undefined) continue;
    const path = join(folder, file);
    const { shapes, constants, feeds } = sampleOf(path);
    const graph = await fixedGraph({ name, path, sizes: { shapes, constants } });
    const own = inputsOf(graph).map((input) => [input.name, feeds[input.name]]);
    yield { name, graph, feeds: Object.fromEntries(own) };
  }
}
