import { start } from "./vad.pare/aot-loader.js";

const [chunk, before, quantum] = [512, 64, 128];

/** Hears its input and says how likely it is speech: each sample of the output is what the last whole chunk gave. */
class Voice extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.step = start(processorOptions).stream().runSync;
    this.inputs = { input: new Float32Array(before + chunk) };
    this.outputs = { output: new Float32Array(1) };
    this.level = new Float32Array(quantum);
    this.filled = before;
  }

  process(inputs, outputs) {
    const samples = inputs[0][0];
    if (samples !== undefined) {
      this.inputs.input.set(samples, this.filled);
      this.filled += quantum;
    }
    if (this.filled === before + chunk) {
      this.step(this.inputs, this.outputs);
      this.inputs.input.copyWithin(0, chunk);
      this.filled = before;
      // By copies: a number that leaves its array may become an object.
      this.level.set(this.outputs.output);
      for (let at = 1; at < quantum; at *= 2) this.level.copyWithin(at, 0, at);
    }
    outputs[0][0].set(this.level);
    return true;
  }
}
registerProcessor("voice", Voice);

/** The same, too slow for its thread now and then: to see that what counts underruns does. */
registerProcessor(
  "slow-voice",
  class extends Voice {
    process(inputs, outputs) {
      const until = this.filled === before ? Date.now() + 100 : 0;
      while (Date.now() < until);
      return super.process(inputs, outputs);
    }
  },
);
