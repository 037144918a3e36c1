import { join } from "node:path";
import { pare, reportOf, scratch } from "../shell.mjs";

export async function prove({ claim, inform, root }) {
  await scratch(async (folder) => {
    const model = [
      "fixtures/models/blazeface-front.onnx",
      "--data",
      "fixtures/data/blazeface-front.mjs",
      "--max-drop",
      "0.002",
    ];
    const naive = join(folder, "naive.pare");
    const plain = await pare(root, [
      "optimize",
      ...model,
      "--recipe",
      "naive-per-tensor",
      "--target",
      "cpu",
      // By latency it is turned down before a sample is looked at, on processors where it is slower.
      "--prefer",
      "size",
      "-o",
      naive,
    ]);
    claim("naive-per-tensor exits with", {
      value: plain.code,
      bound: 0,
      met: plain.code === 0,
      note: plain.code === 0 ? undefined : plain.stderr.slice(-300),
    });
    const step = reportOf(naive).steps.find(({ name }) => name.includes("quantize-static"));
    claim("naive-per-tensor: the step on cpu is", {
      value: step?.verdict ?? "absent",
      bound: "reverted",
      met: step?.verdict === "reverted",
      note: step?.reason,
    });
    const drop = step?.measurement?.accuracy;
    claim("naive-per-tensor: its drop was measured, lower end", {
      value: drop?.dropInterval?.[0] ?? null,
      bound: "> 0.002",
      n: drop?.n,
      interval: drop?.dropInterval,
      met: (drop?.dropInterval?.[0] ?? 0) > 0.002,
    });

    const file = join(folder, "naive.onnx");
    await pare(root, [
      "quantize",
      "fixtures/models/blazeface-front.onnx",
      "--recipe",
      "naive-per-tensor",
      "--data",
      "fixtures/data/blazeface-front.mjs",
      "-o",
      file,
    ]);
    const all = await pare(root, [
      "bench",
      "fixtures/models/blazeface-front.onnx",
      file,
      "--data",
      "bench/proofs/line/support/all-faces.mjs",
      "--target",
      "cpu",
      "--json",
    ]);
    const row = all.code === 0 ? JSON.parse(all.stdout).variants[0]?.accuracy : undefined;
    // How much it loses depends on the processor: without VNNI the engine's products saturate.
    const upper = row?.interval[1] ?? 1;
    claim("naive-per-tensor: AUC over all 200 images, upper end", {
      value: upper,
      bound: "< 0.95",
      n: row?.n,
      interval: row?.interval,
      met: upper < 0.95 && row.n === 200,
      note: `the AUC itself is ${row?.value}`,
    });

    const auto = join(folder, "auto.pare");
    // A module is next to itself, neither smaller nor faster.
    const engines = ["--target", "cpu,wasm,webgpu"];
    const best = await pare(root, ["optimize", ...model, ...engines, "-o", auto]);
    claim("auto exits with", {
      value: best.code,
      bound: 0,
      met: best.code === 0,
      note: best.code === 0 ? undefined : best.stderr.slice(-300),
    });
    const report = reportOf(auto);
    for (const variant of report.variants) {
      const { target, accuracy, sizeBytes, latencyMs, baseline } = variant;
      claim(
        `auto, ${target}: the search held the drop to its budget, by its point on the test images`,
        {
          value: accuracy.drop,
          bound: "<= 0.002",
          n: accuracy.n,
          interval: accuracy.dropInterval,
          met: accuracy.drop <= 0.002,
        },
      );
      const smaller = sizeBytes.brotli / baseline.sizeBytes.brotli;
      const faster = latencyMs.ratio ?? 1;
      claim(`auto, ${target}: smaller or faster`, {
        value: [smaller, faster],
        bound: "one below 1",
        interval: latencyMs.ratioInterval ?? null,
        met: smaller < 1 || faster < 0.98,
        note: `${variant.name}: brotli and latency over the float model's`,
      });
    }
    const slow = report.steps.find(
      ({ target, name, verdict, reason }) =>
        target === "wasm" &&
        /int8/.test(name) &&
        verdict === "reverted" &&
        reason.startsWith("slower"),
    );
    inform("auto, wasm: int8 reverted for latency", { value: slow?.reason ?? "no such step" });
    const left = report.why.filter(({ what }) => what === "left");
    claim("nodes that stayed float, with a reason", {
      value: left.length,
      bound: "> 0",
      met: left.length > 0 && left.every(({ reason }) => reason.length > 0),
      note: left[0]?.reason.slice(0, 160),
    });
  });
}
