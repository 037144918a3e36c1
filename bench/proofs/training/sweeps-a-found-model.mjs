// PP-OCR's direction classifier by one command: cut by a quarter three times and taught again by itself after each, then
// quantized where that pays, in a time that is printed first.
import { join } from "node:path";
import { pare, reportOf, scratch } from "../shell.mjs";

const targets = ["cpu", "wasm"];
/** Of the metric, by which `optimize` judges where nobody says otherwise. */
const mostDrop = 0.01;

const command =
  "optimize fixtures/models/ocr-direction.onnx --data fixtures/data/ocr-direction-training.mjs --shape x=1x3x48x192 --recipe sweep".split(
    " ",
  );

export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const bundle = join(folder, "bundle");
    const { code, stderr, seconds } = await pare(
      root,
      [...command, "--target", targets.join(","), "-o", bundle],
      { echo: true },
    );
    claim("optimize --recipe sweep exits with", {
      value: code,
      bound: 0,
      met: code === 0,
      note: code === 0 ? undefined : stderr.slice(-400),
    });
    const { time, variants, candidates } = reportOf(bundle);
    const ratio = (1000 * seconds) / time.expectedMs;
    claim("seconds that it took over those that were printed first", {
      value: ratio,
      bound: ".7 to 1.15",
      met: ratio >= 0.7 && ratio <= 1.15,
      note: `${seconds.toFixed(0)} s; ${time.rangeMs.map((ms) => Math.round(ms / 1000)).join(" to ")} s were printed`,
    });
    const untried = candidates.filter(({ reason }) => reason.startsWith("not tried"));
    inform("candidates that there was no time for", { value: untried.length });
    for (const target of targets) {
      const { name, accuracy, latencyMs, macs, sizeBytes, baseline } = variants.find(
        (variant) => variant.target === target,
      );
      claim(`${target}: drop of ${accuracy.metric} on the test samples`, {
        value: accuracy.drop,
        bound: mostDrop,
        n: accuracy.n,
        interval: accuracy.dropInterval,
        met: accuracy.drop <= mostDrop,
        note: name,
      });
      claim(`${target}: latency over that of the model as it came`, {
        value: latencyMs.ratio,
        bound: "upper bound < 1",
        n: latencyMs.n,
        interval: latencyMs.ratioInterval,
        met: latencyMs.ratioInterval[1] < 1,
        note: name,
      });
      inform(`${target}: multiply-accumulates and bytes after brotli`, {
        value: [macs, sizeBytes.brotli],
        note: `${baseline.macs} and ${baseline.sizeBytes.brotli} as it came`,
      });
    }
  });
}
