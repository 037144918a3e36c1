// One command takes a float CNN to a bundle: pruned, taught again by itself, quantized by what the target's table
// proposes; and its lock makes the same file again.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheVariable, manifestOf, reportOf, run, scratch } from "../shell.mjs";
import { clothesNetwork } from "./support/clothes-network.mjs";

/** What the recipe learns from: half of what the float model did. It is chosen and tested on the same samples. */
const data = "bench/proofs/training/support/half-of-the-clothes.mjs";

export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const float = join(folder, "float.onnx");
    writeFileSync(float, await clothesNetwork(root));

    const cache = join(folder, "cache");
    const optimize = (bundle, more) =>
      run(
        process.execPath,
        [
          join(root, "cli/bin/pare.js"),
          "optimize",
          float,
          "--data",
          data,
          "--target",
          "cpu",
          "--recipe",
          "small",
          "-o",
          bundle,
          ...more,
        ],
        { cwd: root, env: { [cacheVariable]: cache }, echo: true },
      );
    const bundle = join(folder, "small.pare");
    const { code, stderr, seconds } = await optimize(bundle, []);
    if (code !== 0) throw new Error(`optimize: exit ${code}: ${stderr}`);
    const report = reportOf(bundle);
    const [variant] = report.variants;
    const { accuracy, baseline } = variant;
    inform("top-1 of the float model on the official test split", {
      value: baseline.accuracy.value,
      n: baseline.accuracy.n,
      interval: baseline.accuracy.interval,
    });
    claim("points that the bundle's model loses on it", {
      value: 100 * accuracy.drop,
      bound: 1,
      n: accuracy.n,
      met: accuracy.n === 10_000 && accuracy.drop <= 0.01,
      note: `${variant.name ?? ""} ${accuracy.value}`,
    });
    const smaller = baseline.sizeBytes.raw / variant.sizeBytes.raw;
    claim("bytes of the float model over the bundle's", {
      value: smaller,
      bound: 8,
      met: smaller >= 8,
      note: `${baseline.sizeBytes.raw} and ${variant.sizeBytes.raw}`,
    });
    const quicker = baseline.latencyMs.p50 / variant.latencyMs.p50;
    claim("latency of the float model over the bundle's, cpu", {
      value: quicker,
      bound: 3,
      met: quicker >= 3,
      note: `${baseline.latencyMs.p50} and ${variant.latencyMs.p50} ms`,
    });
    const told = report.steps.map(({ name, verdict, reason }) => `${name} ${verdict}: ${reason}`);
    const shares = report.steps.find(({ group }) => group?.includes("prune"));
    claim("steps of the learned group in the report", {
      value: shares?.group ?? [],
      bound: "prune, distill",
      met: shares?.verdict === "kept" && shares.group.join() === "prune,distill",
      note: told.join("; ").slice(0, 1500),
    });
    inform("the command's seconds", { value: seconds });

    const again = join(folder, "again.pare");
    const frozen = await optimize(again, ["--frozen", join(bundle, "pare.lock.json")]);
    const hashes = (of) =>
      manifestOf(of).variants.map(({ files }) => files.map(({ sha256 }) => sha256).join());
    claim("variants that the lock makes again, by their hashes", {
      value: frozen.code === 0 ? hashes(again) : frozen.stderr.slice(-300),
      bound: hashes(bundle),
      met: frozen.code === 0 && hashes(again).join() === hashes(bundle).join(),
    });
  });
}
