import { compile, start } from "./vad.pare/aot-loader.js";
import { probabilities } from "./voice.js";

const rate = 16_000;
const violations = [];
addEventListener("securitypolicyviolation", ({ violatedDirective }) =>
  violations.push(violatedDirective),
);
const samples = new Float32Array(await (await fetch("samples.f32")).arrayBuffer());

async function inWorker(compiled) {
  const worker = new Worker("./worker.js", { type: "module" });
  const said = await new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => resolve(data));
    worker.addEventListener("error", ({ message }) => reject(new Error(message)));
    worker.postMessage({ compiled, samples });
  });
  violations.push(...said.violations);
  worker.terminate();
  return said.found;
}

/** What is heard, through a processor, into a context. */
async function connect(context, name, own) {
  await context.audioWorklet.addModule("./processor.js");
  const processorOptions = await compile();
  const node = new AudioWorkletNode(context, name, { processorOptions });
  const buffer = new AudioBuffer({ length: own.length, sampleRate: rate });
  buffer.copyToChannel(own, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(node).connect(context.destination);
  source.start();
}

const places = {
  page: async () => [...probabilities(start(await compile()), samples)],
  worker: () => inWorker(),
  "worker that is given the module": async () => inWorker(await compile()),
  async worklet() {
    const context = new OfflineAudioContext(1, samples.length, rate);
    await connect(context, "voice", samples);
    const heard = (await context.startRendering()).getChannelData(0);
    return [...heard].filter((_, at) => at % 512 === 511);
  },
};

/** What a context that really plays says of its underruns after so many seconds. */
async function play(name, seconds) {
  const context = new AudioContext({ sampleRate: rate });
  await connect(context, name, samples.slice(0, seconds * rate));
  await context.resume();
  const started = context.currentTime;
  await new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
  });
  const { underrunEvents, underrunDuration } = context.playbackStats ?? {};
  const played = context.currentTime - started;
  await context.close();
  return { underrunEvents, underrunDuration, played };
}

globalThis.proof = { places, play, violations };
