import { load } from "@pare/runtime";
import { cpu } from "@pare/runtime/ort-node";
import { wasm } from "@pare/runtime/ort-web";

/** The native engine where it is installed, and WebAssembly where it is not. */
export const backends = [cpu(), wasm()];

/**
 * @param bundle the path of a bundle's folder, or what its index.js exports
 * @param pixels 28 × 28 grey values, 0 to 1, white on black
 */
export async function classify(bundle, pixels, { target } = {}) {
  const model = await load(bundle, { backends, target });
  try {
    const { logits } = await model.run({
      x: { type: "float32", dims: [1, 1, 28, 28], data: Float32Array.from(pixels) },
    });
    return {
      digit: logits.data.indexOf(Math.max(...logits.data)),
      logits: [...logits.data],
      selection: model.selection,
    };
  } finally {
    await model.dispose();
  }
}
