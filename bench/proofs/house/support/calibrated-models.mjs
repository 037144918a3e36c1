// The models that both calibrate, and the same 60 samples of each.
import { join } from "node:path";
import { modelPath } from "../../../../fixtures/scripts/assets.mjs";
import { scenes, toPlanes } from "../../../../fixtures/scripts/scenes.mjs";

export const sampleCount = 60;

/** CenterFace takes any size: here the one at which calibrating took longest. */
const large = { width: 640, height: 640 };

/**
 * `many`: samples whose memory is compared with that of 10; 1,000 where not given. `percentile`: how many samples its histograms are taken of, and how the Python tool can take them at all: it keeps every
 * activation of every sample, or of `stride` samples at a time, which must be 1 where samples differ in shape.
 */
export const calibratedModels = {
  "mnist-cnn": { samples: () => ofModule("mnist"), rounds: 41 },
  "ocr-direction": { samples: () => ofModule("ocr-direction"), rounds: 41 },
  "blazeface-front": { samples: () => ofModule("blazeface-front"), rounds: 41 },
  "ocr-recognition": {
    samples: () => ofModule("ocr-recognition"),
    rounds: 9,
    percentile: { count: sampleCount, stride: 1, rounds: 3 },
    many: 200,
  },
  centerface: {
    samples: faces,
    shapes: [["input.1", `1x3x${large.height}x${large.width}`]],
    rounds: 3,
    percentile: { count: 4, rounds: 2 },
    many: 200,
  },
};

export async function fileOf(name) {
  const { path, reason } = await modelPath(name);
  if (path === null) throw new Error(reason);
  return path;
}

async function* ofModule(name) {
  const { samples, splits } = await import(
    join(import.meta.dirname, `../../../../fixtures/data/${name}.mjs`)
  );
  const wanted = new Set([...splits.calibration, ...splits.validation].slice(0, sampleCount));
  for await (const { id, feeds } of samples()) {
    if (wanted.delete(id)) yield feeds;
    if (wanted.size === 0) return;
  }
}

async function* faces() {
  let given = 0;
  for await (const { picture } of scenes("detectors-faces", large)) {
    yield { "input.1": toPlanes(picture, "rgb") };
    given += 1;
    if (given === sampleCount) return;
  }
}
