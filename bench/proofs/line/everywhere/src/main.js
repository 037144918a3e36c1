import bundle from "./bundle.js";
import { inBrowser } from "./in-browser.js";

// ?target=wasm&threads=2&in=worker&from=static, and with &tell=http://… where nothing reads the page
const query = new URLSearchParams(location.search);
const choice = {
  target: query.get("target") ?? undefined,
  threads: query.has("threads") ? Number(query.get("threads")) : undefined,
  integrity: query.get("integrity") ?? undefined,
  allowUnproven: query.has("unproven"),
};
const isStatic = query.get("from") === "static";
const source = isStatic ? new URL("model.pare/", document.baseURI).href : undefined;
const feeds = await (await fetch(new URL("feeds.json", document.baseURI))).json();

const said =
  query.get("in") === "worker"
    ? await inWorker({ source, feeds, choice })
    : await inBrowser(source ?? bundle, feeds, choice);
document.querySelector("output").dataset.result = JSON.stringify(said);
if (query.has("tell"))
  location.assign(`${query.get("tell")}?${encodeURIComponent(JSON.stringify(said))}`);

function inWorker(question) {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve({ error: { message: message || "did not start" } });
    worker.postMessage(question);
  });
}
