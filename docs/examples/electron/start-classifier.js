import { fileURLToPath } from "node:url";
import { utilityProcess } from "electron";

/**
 * Runs the model in a process of its own: a run does not block the app, and a crash there does not end it.
 * @returns a function from 784 grey values to ten logits
 */
export function startClassifier() {
  const waiting = new Map();
  let asked = 0;
  let child;

  function start() {
    const script = fileURLToPath(new URL("classifier.js", import.meta.url));
    const env = { ...process.env, ORT_DISABLE_TELEMETRY: "1" };
    child = utilityProcess.fork(script, [], { serviceName: "digits", env });
    child.on("message", ({ id, logits, error }) => {
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) resolve(logits);
      else reject(new Error(error));
    });
    child.on("exit", (code) => {
      child = undefined;
      for (const { reject } of waiting.values())
        reject(new Error(`The process ended with ${code}.`));
      waiting.clear();
    });
  }

  return (pixels) =>
    new Promise((resolve, reject) => {
      if (child === undefined) start();
      const id = ++asked;
      waiting.set(id, { resolve, reject });
      child.postMessage({ id, pixels });
    });
}
