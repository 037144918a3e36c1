// What decay leaves of channels that died in training, numbers smaller than any normal float, costs nothing once a model is
// simplified: it gives the same numbers, computes less, and is faster on both engines.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openHosts } from "../../../bench/dist/index.js";
import {
  channelGroups,
  countMacs,
  edit,
  encodeModel,
  importModel,
  Tensor,
} from "../../../compiler/dist/index.js";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { byteSource } from "../../../runtime/dist/format/index.js";
import { compareOutputs } from "../same-outputs.mjs";
import { pare, scratch } from "../shell.mjs";
import { timed } from "../training/support/prune-and-recover.mjs";

/** Convolutional networks, of which every second channel dies. */
const models = ["latency/vww-mbv1-025-96", "latency/cifar-resnet8", "latency/kws-dscnn"];
/** Of the largest number in an output. */
const tolerance = 1e-5;
const mostMacs = 0.75;
/** Of the time that the model takes with them. */
const mostTime = 0.2;

export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    const { hosts, dispose } = await openHosts(["cpu"]);
    try {
      const host = hosts.get("cpu");
      if (host === undefined) throw new Error("onnxruntime-node does not run here");
      for (const [index, name] of models.entries()) {
        const [before, after] = ["decayed", "simplified"].map((each) =>
          join(folder, `${index}.${each}.onnx`),
        );
        const whole = await decayed(name);
        const dead = countSubnormals(whole);
        writeFileSync(before, whole.bytes);
        const { code, stderr } = await pare(root, ["simplify", before, "--quiet", "-o", after]);
        if (code !== 0) throw new Error(stderr.slice(-500));
        const { worst, elements } = await compareOutputs(host, before, after);
        claim(`${name}: largest difference in an output, over the largest number in it`, {
          value: worst,
          bound: tolerance,
          n: elements,
          met: worst <= tolerance,
          note: `${dead} of its weights are no normal floats`,
        });
        const macs = countMacs(await opened(after)) / countMacs(await opened(before));
        claim(`${name}: multiplications over those before`, {
          value: macs,
          bound: mostMacs,
          met: macs <= mostMacs,
        });
        const files = [readFileSync(before), readFileSync(after)];
        for (const { target, latencyMs } of await timed(root, ...files)) {
          const { ratio, ratioInterval, n, baselineP50 } = latencyMs;
          claim(`${name}, ${target}: latency over that before`, {
            value: ratio,
            bound: mostTime,
            interval: ratioInterval,
            n,
            met: ratioInterval[1] <= mostTime,
            note: `${baselineP50.toPrecision(3)} ms before`,
          });
        }
      }
    } finally {
      await dispose();
    }
  });
}

async function opened(path) {
  const main = byteSource(new Uint8Array(readFileSync(path)));
  return importModel({ name: path, main, beside: new Map() });
}

/** The model with every second unit of each group of coupled channels as decay leaves it, weights and biases. */
async function decayed(name) {
  const { path, reason } = await modelPath(name);
  if (path === null) throw new Error(reason);
  const graph = await opened(path);
  const changed = new Map();
  for (const { members, units } of channelGroups(graph).groups)
    for (const { axis, places, width } of members) {
      const tensor = graph.constant(axis.value);
      if (tensor?.dtype !== "float32") continue;
      const data = changed.get(axis.value) ?? Float32Array.from(await tensor.read());
      changed.set(axis.value, data);
      const dying = new Set();
      for (let unit = 1; unit < units; unit += 2)
        for (const place of places.subarray(unit * width, (unit + 1) * width)) dying.add(place);
      const inner = tensor.dims.slice(axis.axis + 1).reduce((all, size) => all * size, 1);
      for (let at = 0; at < data.length; at += 1)
        if (dying.has(Math.floor(at / inner) % axis.size))
          data[at] = Math.sign(data[at]) * (1e-39 + Math.abs(data[at]) * 1e-39);
    }
  edit(graph, "decay", (editor) => {
    for (const [id, data] of changed)
      editor.setConstant(id, Tensor.float32(graph.constant(id).dims, data));
  });
  return { bytes: (await encodeModel(graph)).proto, changed };
}

function countSubnormals({ changed }) {
  let count = 0;
  for (const data of changed.values())
    for (const x of data) if (x !== 0 && Math.abs(x) < 2 ** -126) count += 1;
  return count;
}
