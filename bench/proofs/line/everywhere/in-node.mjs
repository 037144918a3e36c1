// node in-node.mjs <path of a bundle, or the name of an installed one> <feeds.json> <main|worker> [options as JSON]
import { readFile } from "node:fs/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { aot } from "@pare/runtime/aot";
import { cpu } from "@pare/runtime/ort-node";
import { wasm } from "@pare/runtime/ort-web";
import { answersOf } from "./src/answers.js";

async function ask([place, feedsFile, , options = "{}"]) {
  const source = place.includes("/") ? place : (await import(place)).default;
  const feeds = JSON.parse(await readFile(feedsFile, "utf8"));
  const own = JSON.parse(options);
  const backends = own.target === "aot" ? [aot()] : [cpu(), wasm()];
  return answersOf(source, feeds, { ...own, backends });
}

const args = process.argv.slice(2);
if (!isMainThread) parentPort.postMessage(await ask(workerData));
else if (args[2] === "main") console.log(JSON.stringify(await ask(args)));
else {
  const worker = new Worker(new URL(import.meta.url), { workerData: args });
  worker.once("message", (said) => console.log(JSON.stringify(said)));
}
