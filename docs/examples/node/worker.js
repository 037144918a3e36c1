// In a worker thread a run does not block the event loop of the program. Let it end by itself: terminating
// one in the middle of a run of onnxruntime-node takes the whole process down.
import { parentPort, workerData } from "node:worker_threads";
import { classify } from "./digits.js";

parentPort.postMessage(
  await classify(workerData.bundle, workerData.pixels, { target: workerData.target }),
);
