// Two ways to run one model in one process, in turns: node side-by-side.mjs <folder>, which says in facts.json what is there.
// Loaded by a page as well; imports what it is handed alone.

/**
 * Times both in blocks that take turns and in turn begin.
 * @param contenders two functions that run once
 * @param budgetMs all in all
 */
export async function timeSideBySide(contenders, budgetMs) {
  // The first runs are in the baseline tier, about ten times slower.
  const warm = performance.now() + Math.min(2000, budgetMs / 2);
  while (performance.now() < warm) for (const run of contenders) await run();
  const once = [];
  for (const run of contenders) {
    const started = performance.now();
    await run();
    once.push(performance.now() - started);
  }
  const repeats = Math.max(1, Math.min(200, Math.round(4 / Math.max(0.001, Math.max(...once)))));
  const times = [[], []];
  const end = performance.now() + budgetMs;
  for (let block = 0; performance.now() < end || block < 20; block += 1) {
    for (const which of block % 2 === 0 ? [0, 1] : [1, 0]) {
      const started = performance.now();
      for (let turn = 0; turn < repeats; turn += 1) await contenders[which]();
      times[which].push((performance.now() - started) / repeats);
    }
  }
  return { blocks: times[0].length, medians: times.map(median) };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A module's session and onnxruntime-web's, on the same feeds, one thread each. */
export async function ratioOf({ aot, ort, artifact, onnx, feeds, budgetMs }) {
  const own = await aot().load(artifact);
  const engine = await ort.InferenceSession.create(onnx, { executionProviders: ["wasm"] });
  const tensors = Object.fromEntries(
    Object.entries(feeds).map(([name, { type, data, dims }]) => [
      name,
      new ort.Tensor(type, data, dims),
    ]),
  );
  const timed = await timeSideBySide([() => own.run(feeds), () => engine.run(tensors)], budgetMs);
  await own.dispose();
  await engine.release();
  return { ...timed, ratio: timed.medians[1] / timed.medians[0] };
}
