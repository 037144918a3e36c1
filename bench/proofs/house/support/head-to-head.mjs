// Two files in the same blocks, on one engine, with real samples.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const limits = { warmUpMs: 1500, blocks: 30, maxBlocks: 200, maxMs: 30_000 };
const samplesTimed = 4;

/**
 * @param {string} module the data module
 * @returns the second's time over the first's, with its interval
 */
export async function headToHead(root, target, module, first, second) {
  const { createMeasure, openHosts } = await import(join(root, "bench/dist/index.js"));
  const { onnxArtifact } = await import(join(root, "runtime/dist/format/index.js"));
  const samples = await firstSamples(join(root, module));
  const { hosts } = await openHosts([target]);
  try {
    const measure = createMeasure({
      hosts,
      samples: {
        size: samples.length,
        labelled: false,
        sample: async (index) => samples[index],
      },
      splits: { calibration: [], validation: samples.map((_, index) => index), test: [] },
      scorer: null,
      seed: 0,
    });
    const artifacts = await Promise.all(
      [first, second].map(async (file) => onnxArtifact(new Uint8Array(await readFile(file)))),
    );
    const { between } = await measure.latency({ artifacts, target, limits, seed: 7 });
    return between[0][1];
  } finally {
    for (const host of hosts.values()) await host.dispose();
  }
}

async function firstSamples(module) {
  const { samples, splits } = await import(module);
  const wanted = new Set(splits.validation.slice(0, samplesTimed));
  const found = [];
  for await (const { id, feeds } of samples()) {
    if (!wanted.has(id)) continue;
    found.push({ id, feeds, label: null, group: null, thumbnail: null });
    if (found.length === wanted.size) break;
  }
  return found;
}
