import { load } from "@pare/runtime";
import { cpu } from "@pare/runtime/ort-node";

// A URL beside this file: a bare path would be looked for where the app was started from.
const loading = load(new URL("digits.pare/", import.meta.url), { backends: [cpu()] });
loading.catch(() => {}); // who asks is told

process.parentPort.on("message", async ({ data: { id, pixels } }) => {
  try {
    const model = await loading;
    const { logits } = await model.run({
      x: { type: "float32", dims: [1, 1, 28, 28], data: Float32Array.from(pixels) },
    });
    process.parentPort.postMessage({ id, logits: [...logits.data] });
  } catch ({ code, message }) {
    process.parentPort.postMessage({ id, error: `${code}: ${message}` });
  }
});
