import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { rescaledChannels } from "../../../fixtures/scripts/rescaled-channels.mjs";
import { pare, reportOf, scratch } from "../shell.mjs";

/** Rounding with one scale for each tensor; 7 bits are right on every processor. */
const round = `use: quantize-static
  with: { granularity: tensor, weightBits: 7 }`;
const alone = `steps:
- simplify
- equalize
- ${round}
`;
const together = `steps:
- simplify
- together:
  - equalize
  - ${round.replace("  with", "    with")}
`;

// A network whose channels lie so far apart that neither equalizing alone nor rounding alone is worth anything.
export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    const model = join(folder, "rescaled.onnx");
    writeFileSync(model, await rescaledChannels());
    const optimized = async (name, recipe) => {
      writeFileSync(join(folder, `${name}.yaml`), recipe);
      const bundle = join(folder, `${name}.pare`);
      const ended = await pare(root, [
        "optimize",
        model,
        "--data",
        "fixtures/data/mnist.mjs",
        "--target",
        "cpu",
        "--recipe",
        join(folder, `${name}.yaml`),
        "--prefer",
        "size",
        "-o",
        bundle,
      ]);
      claim(`${name}: exits with`, {
        value: ended.code,
        bound: 0,
        met: ended.code === 0,
        note: ended.code === 0 ? undefined : ended.stderr.slice(-300),
      });
      return reportOf(bundle);
    };
    const verdict = (report, what, bound) => {
      const step = report.steps.find(({ name }) => what.every((use) => name.includes(use)));
      claim(`${what.join(" and ")}: the step is`, {
        value: step?.verdict ?? "absent",
        bound,
        met: step?.verdict === bound,
        note: step?.reason,
      });
    };

    const one = await optimized("one-by-one", alone);
    verdict(one, ["equalize"], "reverted");
    verdict(one, ["quantize-static"], "reverted");
    const group = await optimized("together", together);
    verdict(group, ["equalize", "quantize-static"], "kept");

    const [variant] = group.variants;
    const { accuracy, sizeBytes, baseline } = variant;
    claim("together: drop of top-1 on the test digits", {
      value: accuracy.drop,
      bound: "<= 0.01",
      n: accuracy.n,
      interval: accuracy.dropInterval,
      met: accuracy.drop <= 0.01,
    });
    const ratio = sizeBytes.brotli / baseline.sizeBytes.brotli;
    claim("together: download over the float model's", {
      value: ratio,
      bound: "< 0.6",
      met: ratio < 0.6,
      note: `${sizeBytes.brotli} of ${baseline.sizeBytes.brotli} bytes`,
    });
  });
}
