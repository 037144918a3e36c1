import { load } from "@pare/runtime";
import { wasm, webgpu } from "@pare/runtime/ort-web";

/**
 * The digit classifier, on what suits the device or on the target asked for. It is loaded for who asks first, and for the
 * next where that failed.
 * @param source what a bundle's index.js exports, or the URL of its folder
 * @returns a function of 28 × 28 grey values, 0 to 1, white on black
 */
export function digitsFrom(source, { target, threads } = {}) {
  let loading;
  return async (pixels) => {
    const backends = [webgpu({ threads }), wasm({ threads })];
    loading ??= load(source, { backends, target }).catch((error) => {
      loading = undefined;
      throw error;
    });
    const model = await loading;
    const { logits } = await model.run({
      x: { type: "float32", dims: [1, 1, 28, 28], data: pixels },
    });
    const digit = logits.data.indexOf(Math.max(...logits.data));
    return { digit, logits: [...logits.data], selection: model.selection };
  };
}
