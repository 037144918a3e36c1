/** Silero VAD takes 512 new samples behind the 64 before them, at 16 kHz. */
export const [chunk, before] = [512, 64];

/**
 * Its probabilities of speech, one for each chunk.
 *
 * @param model what `start` of a bundle's loader gives
 * @param {Float32Array} samples
 */
export function probabilities(model, samples) {
  const { runSync } = model.stream();
  const inputs = { input: new Float32Array(before + chunk) };
  const outputs = { output: new Float32Array(1) };
  const found = new Float32Array(Math.floor(samples.length / chunk));
  for (let at = 0; at < found.length; at += 1) {
    inputs.input.copyWithin(0, chunk);
    inputs.input.set(samples.subarray(at * chunk, (at + 1) * chunk), before);
    runSync(inputs, outputs);
    found.set(outputs.output, at);
  }
  return found;
}
