// Two ways to run one model in one process, in turns: node side-by-side.mjs <folder>, which says in facts.json what is there.
// Loaded by a page as well; imports what it is handed alone.

/**
 * Times all in blocks that take turns and in turn begin.
 * @param contenders functions that run once
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
  const times = contenders.map(() => []);
  const end = performance.now() + budgetMs;
  for (let block = 0; performance.now() < end || block < 20; block += 1) {
    for (const turned of contenders.keys()) {
      const which = (block + turned) % contenders.length;
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

/**
 * A module's session and onnxruntime-web's, on the same feeds, one thread each.
 * @param onnx the model as the engine takes it, in one form or in several, of which the fastest counts
 * @param probe the module that `dotOverPairs` times; nothing where it is not asked
 */
export async function ratioOf({ aot, ort, artifact, onnx, probe, feeds, budgetMs }) {
  const own = await aot().load(artifact);
  const engines = [];
  for (const bytes of onnx)
    engines.push(await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] }));
  const tensors = Object.fromEntries(
    Object.entries(feeds).map(([name, { type, data, dims }]) => [
      name,
      new ort.Tensor(type, data, dims),
    ]),
  );
  const runs = engines.map((engine) => () => engine.run(tensors));
  const timed = await timeSideBySide([() => own.run(feeds), ...runs], budgetMs);
  await own.dispose();
  for (const engine of engines) await engine.release();
  const [module, ...others] = timed.medians;
  const dot = probe === undefined ? undefined : dotOverPairs(probe);
  return { ...timed, dot, ratio: Math.min(...others) / module };
}

/**
 * How long the relaxed dot product of bytes takes, over what two products of 16-bit pairs and a sum do: below one where the
 * machine has an instruction for it, about two where it is made of others. Null where there is no relaxed SIMD.
 */
export function dotOverPairs(bytes) {
  if (!WebAssembly.validate(bytes)) return null;
  const { dots, pairs } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  const leastOf = (run) => {
    let least = Infinity;
    for (let turn = 0; turn < 30; turn += 1) {
      const started = performance.now();
      for (let again = 0; again < 4; again += 1) run();
      least = Math.min(least, performance.now() - started);
    }
    return least;
  };
  leastOf(dots);
  leastOf(pairs);
  return leastOf(dots) / leastOf(pairs);
}
