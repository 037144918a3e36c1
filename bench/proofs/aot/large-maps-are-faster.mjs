// Networks that compute on large maps, as upscalers, denoisers, segmenters and decoders of images do: their modules next to
// onnxruntime-web. Only shapes matter: weights are noise.
import { brotliCompressSync } from "node:zlib";
import * as ort from "onnxruntime-web/wasm";
import { attribute, findPass } from "../../../compiler/dist/index.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import {
  asModule,
  asOnnx,
  inputsOf,
  isModule,
  noiseFor,
  outputsOfEngine,
} from "./support/compiled.mjs";
import { graphOf } from "./support/made-network.mjs";
import { relativeError } from "./support/relative-error.mjs";
import { ratioOf } from "./support/side-by-side.mjs";
import { allowRelaxedSimd } from "./support/relaxed-simd.mjs";

allowRelaxedSimd({ baseline: false });

const budgetMs = 6000;
const mostError = 1e-4;
const mostCode = 6 * 1024;
const leastMean = 2;

/** What a network is made of: each makes the next value of the one before. */
const networks = {
  // Shi et al., 2016, three times as large: PyTorch's example of an export.
  "super resolution, 224 × 224": {
    input: [1, 1, 224, 224],
    build: (b, x) => {
      let y = x;
      for (const [from, to, kernel] of [
        [1, 64, 5],
        [64, 64, 3],
        [64, 32, 3],
      ])
        // prettier-ignore
        y = b.relu(b.convolved(y, from, to, kernel));
      return b.add("DepthToSpace", [b.convolved(y, 32, 9, 3)], { blocksize: attribute.int(3) });
    },
  },
  // Zhang et al., 2017, of a third of its layers.
  "denoising, 128 × 128": {
    input: [1, 1, 128, 128],
    build: (b, x) => {
      let y = b.relu(b.convolved(x, 1, 64, 3));
      for (let layer = 0; layer < 5; layer += 1) y = b.relu(b.convolved(y, 64, 64, 3));
      return b.add("Sub", [x, b.convolved(y, 64, 1, 3)]);
    },
  },
  "segmentation, a U-Net at 128 × 128": {
    input: [1, 3, 128, 128],
    build: (b, x) => {
      const block = (y, from, to) => b.relu(b.convolved(b.relu(b.convolved(y, from, to, 3)), to, to, 3)); // prettier-ignore
      const half = (y) => b.add("MaxPool", [y], { kernel_shape: attribute.ints([2, 2]), strides: attribute.ints([2, 2]) }); // prettier-ignore
      const joined = (y, beside, from) => {
        const up = b.transposed(y, from, from / 2, 2, 2);
        return b.add("Concat", [up, beside], { axis: attribute.int(1) });
      };
      const [a, c] = [block(x, 3, 32)].flatMap((one) => [one, block(half(one), 32, 64)]);
      const d = block(half(c), 64, 128);
      const e = block(joined(d, c, 128), 128, 64);
      const f = block(joined(e, a, 64), 64, 32);
      return b.add("Sigmoid", [b.convolved(f, 32, 1, 1)]);
    },
  },
  "an autoencoder's decoder, 28 × 28": {
    input: [1, 20, 4, 4],
    build: (b, x) => {
      const twice = (y) => b.add("Resize", [y, null, b.floats([1, 1, 2, 2])], { mode: attribute.string("nearest") }); // prettier-ignore
      const y = b.relu(b.transposed(twice(x), 20, 10, 5, 1));
      return b.add("Sigmoid", [b.transposed(twice(y), 10, 1, 5, 1)]);
    },
  },
};

export async function prove({ claim, inform }) {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const ratios = [];
  for (const [name, network] of Object.entries(networks)) {
    const graph = graphOf(network);
    await findPass("simplify").create({}).run(graph, {});
    // A step that `optimize` tries and measures: it says nothing otherwise where nothing is repeated.
    const own = graph.fork();
    await findPass("convolve-repeats").create({}).run(own, {});
    const [artifact, onnx] = [await asModule(own), await asOnnx(graph)];
    const feeds = noiseFor(inputsOf(graph), 3);
    const session = await aot().load(artifact);
    const error = relativeError(await outputsOfEngine(graph, feeds), await session.run(feeds));
    await session.dispose();
    claim(`${name}: the largest difference to onnxruntime, relative`, {
      value: error,
      bound: `≤ ${mostError}`,
      n: 1,
      met: error <= mostError,
    });
    const code = artifact.files
      .filter(isModule)
      .map(({ bytes }) => brotliCompressSync(bytes).length);
    const bytes = Math.max(...code);
    claim(`${name}: bytes of code, after brotli`, {
      value: bytes,
      bound: `≤ ${mostCode}`,
      n: code.length,
      met: bytes <= mostCode,
    });
    const timed = await ratioOf({
      aot,
      ort,
      artifact,
      onnx: [onnx.files[0].bytes],
      feeds,
      budgetMs,
    });
    ratios.push(timed.ratio);
    claim(`${name}: how much faster than onnxruntime-web, Node ${process.versions.node}`, {
      value: timed.ratio,
      bound: "≥ 1",
      n: timed.blocks,
      met: timed.ratio >= 1,
      note: timed.medians.map((ms) => `${ms.toPrecision(3)} ms`).join(" and "),
    });
  }
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  claim("geometric mean of how much faster", {
    value: mean,
    bound: `≥ ${leastMean}`,
    n: ratios.length,
    met: mean >= leastMean,
  });
  inform("threads", { value: 1 });
}
