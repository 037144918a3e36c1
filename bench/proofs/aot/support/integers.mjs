// Networks whose activations have seven bits and whose weights have eight, as the target proposes.
import { cpu } from "../../../../runtime/dist/backends/ort-node.js";
import { findPass, findTarget, MeasuredActivations } from "../../../../compiler/dist/index.js";
import { edit } from "../../../../compiler/dist/ir/index.js";
import { planOf } from "../../../../compiler/dist/wasm/compile.js";
import { memoryOver } from "../../../../compiler/dist/wasm/kernels/kernel.js";
import { constantImage, planMemory } from "../../../../compiler/dist/wasm/plan/memory-plan.js";
import { placesIn, turnsOf } from "../../../../compiler/dist/wasm/plan/plan.js";
import { inputsOf, noiseFor } from "./compiled.mjs";

/** Convolutional networks that are timed, as floats and as integers. */
export const timedNetworks = [
  "latency/mnist",
  "latency/kws-dscnn",
  "latency/cifar-resnet8",
  "latency/vww-mbv1-025-96",
  "latency/mbv2-100-96",
  "latency/mbv2-100-224",
  "ocr-direction",
  "blazeface-front",
];
/** And those that are proven as integers. */
export const integerNetworks = ["mnist-cnn", ...timedNetworks];

/** How many samples of noise activations are looked at on. */
const samples = 4;

/** The float graph as integers, by the first of the target's proposals. */
export function asIntegers(graph) {
  return proposed(graph, findTarget("aot").propose(graph)[0]);
}

/** As onnxruntime-web wants it: eight bits of both, full convolutions alone. */
export function asEngineIntegers(graph) {
  const proposals = findTarget("wasm").propose(graph);
  return proposed(
    graph,
    proposals.find(({ name }) => /static|mixed/.test(name)),
  );
}

async function proposed(graph, proposal) {
  const fork = graph.fork();
  const activations = new MeasuredActivations({
    executor: cpu(),
    count: samples,
    async *samples() {
      for (let seed = 1; seed <= samples; seed += 1) yield noiseFor(inputsOf(fork), seed);
    },
  });
  for (const { use, with: options } of proposal.group.steps) {
    const pass = findPass(use);
    await pass.create(pass.parse(options ?? {})).run(fork, { activations });
  }
  await findPass("simplify").create({}).run(fork, {});
  return fork;
}

/** The same without a Softmax at its end, which is computed in floats: what is left is integers, and what scales them. */
export function withoutSoftmax(graph) {
  const fork = graph.fork();
  edit(
    fork,
    "proof",
    (editor) => {
      [...fork.main.outputs].forEach((id, at) => {
        const producer = fork.producer(id);
        if (producer?.op === "Softmax") editor.setOutput(at, producer.inputs[0]);
      });
    },
    { interface: true },
  );
  return fork;
}

/** What every kernel's reference in TypeScript makes of feeds, one after the other; floats are computed by these kernels. */
export async function byReference(graph, feeds) {
  const plan = await planOf(graph);
  const memory = planMemory(plan);
  const buffer = new ArrayBuffer(Math.ceil(memory.memoryBytes / 8) * 8 + 64);
  const held = ({ place, dims }) => {
    const count = dims.reduce((product, size) => product * size, 1);
    return new Float32Array(buffer, memory.addressOf(place), count);
  };
  new Uint8Array(buffer).set(constantImage(plan, memory), memory.constantsAt);
  for (const input of plan.inputs) held(input).set(feeds[input.name].data);
  const before = [...plan.decoded, ...plan.prepared].flatMap(({ steps }) => steps);
  for (const { count, steps } of turnsOf([...before, ...plan.steps]))
    for (let round = 0; round < count; round += 1)
      for (const step of steps)
        step.reference(memoryOver(buffer), placesIn(step, round).map(memory.addressOf));
  const outputs = plan.outputs.map((output) => [
    output.name,
    { type: "float32", dims: output.dims, data: held(output).slice() },
  ]);
  const isInteger = (kernel) => kernel.endsWith("-i8") || kernel === "copy" || kernel === "fill";
  return {
    outputs: Object.fromEntries(outputs),
    floats: plan.steps.map(({ kernel }) => kernel).filter((kernel) => !isInteger(kernel)),
  };
}

/** Σ (a − b)² over all outputs; of one alone, Σ a². */
export function squaredDifference(outputs, others) {
  let sum = 0;
  for (const [name, { data }] of Object.entries(outputs))
    for (const [at, value] of data.entries()) sum += (value - (others?.[name].data[at] ?? 0)) ** 2;
  return sum;
}
