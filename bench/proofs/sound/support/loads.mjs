// Whether a bundle is one that an app can use: the runtime loads it and its golden check passes, on the native engine.
import { cpu } from "../../../../runtime/dist/backends/ort-node.js";
import { load } from "../../../../runtime/dist/index.js";

export async function loads(bundle) {
  try {
    const model = await load(bundle, { backends: [cpu()] });
    await model.dispose();
    return true;
  } catch {
    return false;
  }
}
