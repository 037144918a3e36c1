// What `pare quantize --mode static` makes of networks with sums, joints and gates between their convolutions, next to what
// onnxruntime's quantizer makes of them operator by operator: no slower, and no less exact. Only shapes matter: weights are
// noise.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attribute, encodeModel, randomOf } from "../../../compiler/dist/index.js";
import { findPython } from "../../peers/python.mjs";
import { writeFeeds } from "../../peers/write-samples.mjs";
import { graphOf } from "../aot/support/made-network.mjs";
import { pare, run, scratch } from "../shell.mjs";

export { partByProcessor as part } from "../without-vnni.mjs";

const targets = ["cpu", "wasm"];
const input = [1, 3, 160, 160];
const samples = 24;
const mostTime = 1.05;
/** Of both files, in turns. */
const rounds = 7;
/** As Pare writes for any x86: with weights of eight bits, sums saturate on those without VNNI. */
const like = ["--per-channel", "--reduce-range"];
const downTo = [16, 32, 64, 128];

const networks = {
  "residual blocks": (b, x) => stages(b, x, b.relu, (y, width) => residual(b, y, width, b.relu)),
  "joined blocks, SiLU": (b, x) => stages(b, x, silu(b), (y, width) => joined(b, y, width)),
  "gated channels": (b, x) =>
    stages(b, x, b.relu, (y, width) => residual(b, gated(b, y, width), width, b.relu)),
};

export async function prove({ claim, inform, root }) {
  const python = await findPython();
  for (const [name, build] of Object.entries(networks))
    await scratch(async (folder) => {
      const [float, own, other] = ["float", "pare", "python"].map((is) => join(folder, `${is}.onnx`)); // prettier-ignore
      const { proto } = await encodeModel(graphOf({ input, build }));
      await writeFile(float, proto);
      const calibrating = join(folder, "samples");
      await writeFeeds(noise(), calibrating);
      const data = ["--data", join(calibrating, "0.npz"), "--quiet"];
      const script = join(root, "bench/peers/quantize.py");
      const made = {
        "pare quantize": await pare(root, ["quantize", float, "--mode", "static", ...data, "-o", own]), // prettier-ignore
        "onnxruntime's quantizer": await run(python, [script, float, calibrating, other, ...like]), // prettier-ignore
      };
      for (const [what, { code, stderr }] of Object.entries(made))
        if (code !== 0) throw new Error(`${what}: ${stderr}`);
      for (const target of targets) {
        const options = [...data, "--target", target];
        const ratios = await timed(root, own, other, options);
        const time = ratios[Math.floor(rounds / 2)];
        claim(`${name}, ${target}: latency, of that of Python's file`, {
          value: time,
          bound: `≤ ${mostTime}`,
          n: rounds,
          interval: [ratios[0], ratios.at(-1)],
          met: time <= mostTime,
        });
        if (target !== "cpu") continue;
        const [a, b] = await compared(root, [float, own, other], options);
        claim(`${name}: noise, in dB below the signal, more than Python's`, {
          value: a.accuracy.value - b.accuracy.value,
          bound: "≥ 0",
          n: a.accuracy.n,
          met: a.accuracy.value >= b.accuracy.value,
          note: `${a.accuracy.value.toFixed(1)} and ${b.accuracy.value.toFixed(1)}`,
        });
        inform(`${name}: bytes after brotli, of those of Python's file`, {
          value: a.sizeBytes.brotli / b.sizeBytes.brotli,
        });
      }
    });
}

/**
 * A file's latency over another's, from the least: one next to the other, loaded anew each time. Each next to the float model, one
 * and the same file came to .65 and .75 of that in one call, on a machine that others use.
 */
async function timed(root, own, other, options) {
  const ratios = [];
  for (let round = 0; round < rounds; round += 1) {
    const isTurned = round % 2 === 1;
    const [{ latencyMs }] = await compared(root, isTurned ? [own, other] : [other, own], options);
    ratios.push(isTurned ? 1 / latencyMs.ratio : latencyMs.ratio);
  }
  return ratios.sort((one, next) => one - next);
}

async function compared(root, files, options) {
  const asked = ["bench", ...files, ...options, "--metric", "sqnr", "--json"];
  const { code, stdout, stderr } = await pare(root, asked);
  if (code !== 0) throw new Error(`pare bench: ${stderr}`);
  return JSON.parse(stdout).variants;
}

function noise() {
  const random = randomOf(2, "noise");
  const count = input.reduce((product, size) => product * size, 1);
  return Array.from({ length: samples }, () => ({
    x: { type: "float32", dims: input, data: Float32Array.from({ length: count }, random) },
  }));
}

/** Convolutions that halve the map, with a block behind each. */
function stages(b, x, activation, block) {
  let [y, width] = [x, input[1]];
  for (const next of downTo) {
    y = block(activation(b.convolved(y, width, next, 3, 2)), next);
    width = next;
  }
  return b.convolved(y, width, 16, 1);
}

const silu = (b) => (x) => b.add("Mul", [x, b.add("Sigmoid", [x])]);

function residual(b, x, width, activation) {
  const inner = activation(b.convolved(x, width, width, 3));
  return activation(b.add("Add", [b.convolved(inner, width, width, 3), x]));
}

/** Of two halves one is taken further, and all are joined: a detector's block. */
function joined(b, x, width) {
  const half = width / 2;
  const [one, other] = [0, 1].map(() => silu(b)(b.convolved(x, width, half, 1)));
  const inner = silu(b)(b.convolved(silu(b)(b.convolved(other, half, half, 3)), half, half, 3));
  const further = b.add("Add", [inner, other]);
  const all = b.add("Concat", [one, other, further], { axis: attribute.int(1) });
  return silu(b)(b.convolved(all, 3 * half, width, 1));
}

/** Squeeze and excitation. */
function gated(b, x, width) {
  const mean = b.add("GlobalAveragePool", [x]);
  const inner = b.relu(b.convolved(mean, width, width / 4, 1));
  return b.add("Mul", [x, b.add("Sigmoid", [b.convolved(inner, width / 4, width, 1)])]);
}
