// What each step of a module takes. Loaded by a page as well; imports nothing.

/**
 * Runs the steps of a module in their order, again and again, and reads the clock around each of them. A page's clock is
 * coarse: of many runs the mean is right.
 *
 * @param {BufferSource} bytes a module that exports `step0`, `step1`, …
 * @param {readonly { at: number, count: number }[]} inputs where its inputs lie: they are filled with noise
 * @param {number} budgetMs all in all
 * @returns {Promise<number[]>} milliseconds by step: means without the slowest fifth
 */
export async function timeSteps(bytes, inputs, budgetMs) {
  const { instance } = await WebAssembly.instantiate(bytes);
  const { memory, decode, ...exported } = instance.exports;
  decode?.();
  const floats = new Float32Array(memory.buffer);
  const noise = inputs.map(({ count }) =>
    Float32Array.from({ length: count }, (_, i) => Math.sin(i)),
  );
  // Before each turn: other values lie there afterwards, whose bits may be floats that are slow to compute with.
  const fill = () => inputs.forEach(({ at }, which) => floats.set(noise[which], at / 4));
  const steps = Object.keys(exported).map((_, at) => exported[`step${at}`]);
  // The first runs are in the baseline tier.
  const warm = performance.now() + budgetMs / 3;
  while (performance.now() < warm) {
    fill();
    for (const step of steps) step();
  }
  const times = steps.map(() => []);
  const end = performance.now() + budgetMs;
  while (performance.now() < end) {
    fill();
    for (const [at, step] of steps.entries()) {
      const started = performance.now();
      step();
      times[at].push(performance.now() - started);
    }
  }
  return times.map((own) => {
    const kept = own.sort((a, b) => a - b).slice(0, Math.ceil(own.length * 0.8));
    return kept.reduce((sum, ms) => sum + ms, 0) / kept.length;
  });
}
