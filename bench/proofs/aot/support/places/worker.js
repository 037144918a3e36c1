import { compile, start } from "./vad.pare/aot-loader.js";
import { probabilities } from "./voice.js";

const violations = [];
addEventListener("securitypolicyviolation", ({ violatedDirective }) =>
  violations.push(violatedDirective),
);
globalThis.onmessage = async ({ data: { compiled, samples } }) => {
  const model = start(compiled ?? (await compile()));
  postMessage({ found: [...probabilities(model, samples)], violations });
};
