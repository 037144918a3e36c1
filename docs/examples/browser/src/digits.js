import { load } from "@pare/runtime";
import { wasm, webgpu } from "@pare/runtime/ort-web";

/**
 * Loads the digit classifier for what suits the device, or for the target asked for.
 * @param source what a bundle's index.js exports, or the URL of its folder
 */
export function loadDigits(source, { target, threads, onProgress } = {}) {
  return load(source, { backends: [webgpu({ threads }), wasm({ threads })], target, onProgress });
}

/** @param pixels 28 × 28 grey values, 0 to 1, white on black */
export async function classify(model, pixels) {
  const { logits } = await model.run({
    x: { type: "float32", dims: [1, 1, 28, 28], data: pixels },
  });
  const digit = logits.data.indexOf(Math.max(...logits.data));
  return { digit, logits: [...logits.data], selection: model.selection };
}
