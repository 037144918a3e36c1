import { existsSync } from "node:fs";
import { join } from "node:path";
import { pare, reportOf, run, scratch } from "../shell.mjs";

const withoutData = new Set(["float32", "float16", "float16-weights", "int8-weights"]);

export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    const bundle = join(folder, "no-data.pare");
    const nothing = await pare(root, [
      "optimize",
      "fixtures/models/ocr-direction.onnx",
      "-o",
      bundle,
      "--shape",
      "x=1x3x48x192",
    ]);
    claim("without data: exits with", {
      value: nothing.code,
      bound: 0,
      met: nothing.code === 0,
      note: nothing.code === 0 ? undefined : nothing.stderr.slice(-300),
    });
    const report = reportOf(bundle);
    const precisions = report.variants.map(({ precision }) => precision);
    claim("without data: equal within rounding or weights alone", {
      value: precisions.join(", "),
      bound: [...withoutData].join(", "),
      met: precisions.length > 0 && precisions.every((one) => withoutData.has(one)),
    });
    claim("without data: evidence", {
      value: report.variants.map(({ evidence }) => evidence).join(", "),
      bound: "none",
      met: report.variants.every(
        ({ evidence, accuracy }) => evidence === "none" && accuracy === null,
      ),
    });
    const last = nothing.stdout.trim().split("\n").at(-1) ?? "";
    claim("without data: the next step is the last line", {
      value: last,
      bound: "names --data",
      met: /--data/.test(last),
    });
    const budget = await pare(root, [
      "optimize",
      "fixtures/models/ocr-direction.onnx",
      "--max-drop",
      "0.01",
      "-o",
      join(folder, "x.pare"),
    ]);
    claim("--max-drop without data is an error", {
      value: budget.code,
      bound: 2,
      met: budget.code === 2 && !existsSync(join(folder, "x.pare")),
    });

    const images = join(folder, "images");
    await run(process.execPath, [join(root, "fixtures/scripts/render-images.mjs"), images, "120"]);
    const unlabelled = join(folder, "unlabelled.pare");
    const folderRun = await pare(root, [
      "optimize",
      "fixtures/models/ocr-direction.onnx",
      "--data",
      images,
      "--preprocess",
      "-1..1",
      "--shape",
      "x=1x3x48x192",
      "--target",
      "cpu",
      "-o",
      unlabelled,
    ]);
    claim("unlabelled images: exits with", {
      value: folderRun.code,
      bound: 0,
      met: folderRun.code === 0,
      note: folderRun.code === 0 ? undefined : folderRun.stderr.slice(-300),
    });
    for (const { target, evidence, accuracy } of reportOf(unlabelled).variants) {
      const { flips } = accuracy ?? {};
      claim(`unlabelled images, ${target}: evidence`, {
        value: evidence,
        bound: "unlabelled",
        met: evidence === "unlabelled",
      });
      claim(`unlabelled images, ${target}: flips with their interval`, {
        value: flips?.count ?? null,
        bound: "an interval",
        n: flips?.n,
        interval: flips?.interval ?? null,
        met: flips?.interval?.length === 2,
      });
    }
  });
}
