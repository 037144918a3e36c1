// `pare quantize --ort-compat` writes the file that onnxruntime's Python quantizer writes, weight by weight and node by
// node, in every mode; static ones from ranges that each of the two measured itself, on the same samples.
import { join } from "node:path";
import { openHosts } from "../../../bench/dist/index.js";
import { onnxArtifact } from "../../../runtime/dist/format/index.js";
import { readFileSync } from "node:fs";
import { findPython } from "../../peers/python.mjs";
import { writeFeeds } from "../../peers/write-samples.mjs";
import { knownModels } from "../known-models.mjs";
import { noiseFor, noises } from "../same-outputs.mjs";
import { pare, run, scratch } from "../shell.mjs";

const modes = ["dynamic", "weights", "static"];

export async function prove({ claim, inform, root }) {
  const python = await findPython();
  const counts = { files: 0, parts: 0 };
  const refused = [];
  await scratch(async (folder) => {
    const { models, missing } = await knownModels(root, folder);
    const { hosts, dispose } = await openHosts(["cpu"]);
    const host = hosts.get("cpu");
    try {
      for (const [index, { name, path }] of models.entries()) {
        const source = join(folder, `${index}.onnx`);
        // The tool has onnx convert what is older, whose names are its own; both begin with what Pare converts.
        const given = await pare(root, ["convert", path, "--opset", "13", "--quiet", "-o", source]);
        const model = given.code === 0 ? source : path;
        const loaded = await host.load(onnxArtifact(readFileSync(model)));
        const feeds = noises.map((range, seed) => noiseFor(loaded.inputs, seed, range));
        await host.unload(loaded);
        const samples = join(folder, `${index}.samples`);
        await writeFeeds(feeds, samples);
        for (const mode of modes) await compare(`${name}, ${mode}`, model, mode, samples);
      }
    } finally {
      await dispose();
    }
    inform("sources that cannot be had here", {
      value: missing.length,
      ...(missing.length > 0 && { note: missing.join("; ") }),
    });
  });
  const tried = counts.files + refused.length;
  claim("share of what was tried that both write", {
    value: counts.files / tried,
    bound: 0.9,
    met: counts.files / tried >= 0.9,
    n: tried,
    note: `${counts.parts} parts`,
  });
  inform("files that the tool cannot write", { value: refused.length, note: refused.join("; ") });

  async function compare(name, model, mode, samples) {
    const own = `${samples}.${mode}.onnx`;
    const data = mode === "static" ? ["--data", join(samples, "0.npz")] : [];
    const how = ["quantize", model, "--ort-compat", "--mode", mode, ...data, "-o", own];
    const made = await pare(root, [...how, "--no-check", "--quiet"]);
    const script = join(root, "bench/peers/same_file.py");
    if (made.code !== 0) {
      const note = made.stderr.trim().slice(0, 200);
      claim(`${name}: Pare's`, { value: "none", bound: "a file", met: false, note });
      return;
    }
    const compared = await run(python, [script, model, own, mode, samples]);
    if (compared.code !== 0) {
      // What the tool cannot write at all is no file to be the same as.
      refused.push(`${name}: ${compared.stderr.trim().split("\n").at(-1)}`);
      return;
    }
    const { parts, differ, apart, examples } = JSON.parse(compared.stdout);
    claim(`${name}: parts that differ`, {
      value: differ,
      bound: 0,
      met: differ === 0,
      n: parts,
      note: [
        ...examples,
        `scales apart ${apart.scale}, zero points ${apart.zeroPoint}, biases ${apart.bias}`,
      ].join("; "),
    });
    counts.files += 1;
    counts.parts += parts;
  }
}
