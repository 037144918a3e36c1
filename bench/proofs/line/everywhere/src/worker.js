import bundle from "./bundle.js";
import { inBrowser } from "./in-browser.js";

self.onmessage = async ({ data: { source = bundle, feeds, choice } }) =>
  self.postMessage(await inBrowser(source, feeds, choice));
