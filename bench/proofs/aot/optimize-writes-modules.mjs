import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "../../../runtime/dist/index.js";
import { aot } from "../../../runtime/dist/backends/aot.js";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { pare, run, scratch } from "../shell.mjs";

const digits = "fixtures/data/mnist.mjs";

// A target without an engine: planned, measured, chosen, locked, bundled, loaded and replayed as any other.
export async function prove({ claim, root }) {
  const { path: model } = await modelPath("mnist-cnn");
  await scratch(async (folder) => {
    const bundle = join(folder, "digits.pare");
    const args = [model, "--dim", "N=1", "--time-budget", "60s"];
    const options = ["--data", digits, "--target", "aot,cpu"];
    const made = await pare(root, ["optimize", ...args, ...options, "-o", bundle]);
    claim("a bundle for aot and cpu", {
      value: made.code,
      bound: 0,
      met: made.code === 0,
      note: made.code === 0 ? undefined : made.stderr.slice(-300),
    });
    const manifest = JSON.parse(readFileSync(join(bundle, "manifest.json"), "utf8"));
    const variant = manifest.variants.find(({ target }) => target === "aot");
    const { latencyMs, accuracy, requires } = variant;
    claim("the format of its variant", {
      value: variant.format,
      bound: "wasm",
      met: variant.format === "wasm",
    });
    const isTimed = !("unmeasured" in latencyMs);
    claim("runs that were timed of the module", {
      value: isTimed ? latencyMs.n : 0,
      bound: 1,
      met: isTimed && latencyMs.n >= 1,
    });
    claim("accuracy on the test split, of the module", {
      value: accuracy?.value ?? 0,
      bound: "≥ 0.97",
      n: accuracy?.n ?? 0,
      met: (accuracy?.value ?? 0) >= 0.97,
    });
    claim("memory that it was seen to take, bytes", {
      value: requires.memoryBytes ?? 0,
      bound: "65536 to 4194304",
      met: requires.memoryBytes >= 65_536 && requires.memoryBytes <= 4_194_304,
    });
    const loaded = await load(bundle, { backends: [aot()] });
    const [input] = loaded.inputs;
    const outputs = await loaded.run({ [input.name]: new Float32Array(784) });
    claim("loaded with its backend alone, and proven by the golden check", {
      value: `${loaded.selection.chosen}, ${loaded.selection.proven ? "proven" : "not proven"}`,
      bound: `${variant.id}, proven`,
      met:
        loaded.selection.chosen === variant.id &&
        loaded.selection.proven &&
        Object.keys(outputs).length > 0,
    });
    await loaded.dispose();
    const script = `
      import { load } from ${JSON.stringify(join(root, "runtime/dist/index.js"))};
      import { aot } from ${JSON.stringify(join(root, "runtime/dist/backends/aot.js"))};
      const model = await load(${JSON.stringify(bundle)}, { backends: [aot()] });
      console.log(model.selection.target);`;
    const hook = join(root, "bench/proofs/house/support/no-engine.mjs");
    const alone = await run(process.execPath, [
      "--import",
      hook,
      "--input-type=module",
      "--eval",
      script,
    ]);
    claim("loaded in a process that can load no engine", {
      value: alone.stdout.trim() || alone.stderr.slice(-200),
      bound: "aot",
      met: alone.stdout.trim() === "aot",
    });
    const again = join(folder, "again.pare");
    const lock = join(bundle, "pare.lock.json");
    const replayed = await pare(root, [
      "optimize",
      model,
      "--dim",
      "N=1",
      "--frozen",
      lock,
      "-o",
      again,
    ]);
    const identity = (at) => JSON.parse(readFileSync(join(at, "manifest.json"), "utf8")).identity;
    const same = replayed.code === 0 && identity(again) === identity(bundle);
    claim("the lock alone gives the same bundle again", {
      value: same,
      bound: true,
      met: same,
      note: replayed.code === 0 ? undefined : replayed.stderr.slice(-300),
    });
  });
}
