import bundle from "./bundle.js";
import { digitsFrom } from "./digits.js";

let classify;

/** Takes { id, source?, target?, threads?, pixels }, and answers with { id, digit, logits, selection } or { id, error }. */
self.onmessage = async ({ data: { id, source = bundle, target, threads, pixels } }) => {
  try {
    classify ??= digitsFrom(source, { target, threads });
    self.postMessage({ id, ...(await classify(pixels)) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};
