// The real models with labelled data that the house's proofs optimize.
import { join } from "node:path";

/** @type {Readonly<Record<string, { data: string, options?: readonly string[] }>>} */
export const models = {
  mnist: { data: "mnist", model: "mnist-cnn" },
  "ocr-direction": { data: "ocr-direction" },
  "ocr-recognition": { data: "ocr-recognition" },
  blazeface: { data: "blazeface-front", model: "blazeface-front" },
  minilm: { data: "minilm" },
  centerface: { data: "centerface", options: ["--shape", "input.1=1x3x320x320"] },
  "characters-nms": { data: "characters-nms" },
  "mlsd-large": { data: "mlsd-large" },
};

/** What `parseShapes` takes, from what follows the data in a model's arguments. */
export function shapeOptions(options) {
  const at = options.indexOf("--shape");
  return at < 0 ? {} : { shape: [options[at + 1].split("=")] };
}

/** What `pare optimize` is told of a model, or why it cannot be had here. */
export async function argumentsFor(root, name) {
  const { model = name, data, options = [] } = models[name];
  const { modelPath } = await import(join(root, "fixtures/scripts/assets.mjs"));
  const { path, reason } = await modelPath(model);
  if (path === null) return { args: null, reason };
  return { args: [path, "--data", `fixtures/data/${data}.mjs`, ...options], reason: null };
}
