import { load, wasm } from "./pare/pare.js";

const seven = await (await fetch("seven.json")).json();
const pixels = Float32Array.from(seven);

async function classify() {
  const model = await load("/digits.pare/", { backends: [wasm()] });
  const { logits } = await model.run({
    x: { type: "float32", dims: [1, 1, 28, 28], data: pixels },
  });
  return logits.data;
}

async function show(id, answer) {
  const output = document.getElementById(id);
  try {
    output.value = (await answer).join(" ");
  } catch ({ message }) {
    output.value = message;
  }
}

await Promise.all([
  show("wasm", classify()),
  // Outside Electron there is no such process.
  show("cpu", globalThis.digits?.classify(pixels) ?? Promise.reject(new Error("no process"))),
]);
