import bundle from "./bundle.js";
import { digitsFrom } from "./digits.js";

// How it runs can be chosen in the address: ?target=wasm&threads=2&in=worker&from=static
const choice = new URLSearchParams(location.search);
const target = choice.get("target") ?? undefined;
const threads = choice.has("threads") ? Number(choice.get("threads")) : undefined;
// The same bundle as static files, if they lie in the folder that the server takes them from.
const source =
  choice.get("from") === "static" ? new URL("digits.pare/", document.baseURI).href : undefined;

const classify =
  choice.get("in") === "worker" ? inWorker() : digitsFrom(source ?? bundle, { target, threads });

function inWorker() {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  const waiting = new Map();
  let asked = 0;

  worker.onmessage = ({ data: { id, error, ...answer } }) => {
    const asker = waiting.get(id);
    if (asker === undefined) return; // it was told that the worker failed
    waiting.delete(id);
    if (error === undefined) asker.resolve(answer);
    else asker.reject(new Error(error));
  };
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.values())
      reject(new Error(message || "The worker did not start."));
    waiting.clear();
  };

  return (pixels) =>
    new Promise((resolve, reject) => {
      const id = ++asked;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, source, target, threads, pixels });
    });
}

const canvas = document.querySelector("canvas");
const output = document.querySelector("output");
const context = canvas.getContext("2d", { willReadFrequently: true });

function pixelsOf(canvas) {
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return Float32Array.from({ length: data.length / 4 }, (_, i) => data[4 * i] / 255);
}

async function show() {
  try {
    const { digit, logits, selection } = await classify(pixelsOf(canvas));
    output.value = `${digit}, says ${selection.chosen} on ${selection.engine}`;
    output.dataset.result = JSON.stringify({ digit, logits, selection });
  } catch (error) {
    output.value = String(error);
    output.dataset.result = JSON.stringify({ error: String(error) });
  }
}

function clear() {
  context.fillStyle = "black";
  context.fillRect(0, 0, canvas.width, canvas.height);
}

function line(...points) {
  context.strokeStyle = "white";
  context.lineWidth = 2.5;
  context.lineCap = "round";
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
}

let last;
canvas.style = "width: 280px; image-rendering: pixelated; touch-action: none";
canvas.onpointerdown = (event) => (last = at(event));
canvas.onpointermove = (event) => {
  // A drag that comes from outside begins where it comes in.
  const next = event.buttons === 0 ? undefined : at(event);
  if (last && next) line(last, next);
  last = next;
};
canvas.onpointerleave = () => (last = undefined);
canvas.onpointerup = show;
document.querySelector("button").onclick = clear;

function at(event) {
  return [event.offsetX / 10, event.offsetY / 10];
}

clear();
line([7, 7], [20, 7], [12, 22]);
await show();
