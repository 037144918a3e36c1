// node --no-opt --no-sparkplug heap.mjs: bytes of the heap that a minute of audio takes on the audio thread, beyond a minute before.
// Interpreted, since what is optimized away is an object all the same where code does not run hot.
import { getHeapStatistics } from "node:v8";
import { compile } from "./vad.pare/aot-loader.js";

const processors = new Map();
globalThis.AudioWorkletProcessor = Object;
globalThis.registerProcessor = (name, Processor) => processors.set(name, Processor);
await import("./processor.js");
const Voice = processors.get("voice");
const voice = new Voice({ processorOptions: await compile() });

const quanta = (60 * 16_000) / 128;
const [inputs, outputs] = [[[new Float32Array(128)]], [[new Float32Array(128)]]];
function minute() {
  for (let at = 0; at < quanta; at += 1) voice.process(inputs, outputs);
}
// What asks makes objects too, the more the first time.
const used = () => getHeapStatistics().used_heap_size;
used();
minute();
const before = used();
minute();
console.log(JSON.stringify({ bytes: used() - before, quanta }));
