import bundle from "./bundle.js";
import { classify, loadDigits } from "./digits.js";

let model;

/** Takes { source?, target?, threads?, pixels }, and answers with { digit, logits, selection } or { error }. */
self.onmessage = async ({ data: { source = bundle, target, threads, pixels } }) => {
  try {
    model ??= loadDigits(source, { target, threads });
    self.postMessage(await classify(await model, pixels));
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
