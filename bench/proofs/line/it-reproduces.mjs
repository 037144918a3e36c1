import { createHash } from "node:crypto";
import { join } from "node:path";
import { manifestOf, pare, scratch } from "../shell.mjs";

const hashes = (bundle) =>
  manifestOf(bundle).variants.map(
    ({ id, files }) => `${id} ${files.map(({ sha256 }) => sha256).join(" ")}`,
  );

export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    for (const name of ["ocr-direction", "mnist-cnn"]) {
      const data = name === "mnist-cnn" ? "mnist" : name;
      const args = [
        "optimize",
        `fixtures/models/${name}.onnx`,
        "--data",
        `fixtures/data/${data}.mjs`,
      ];
      const first = join(folder, `${name}-1.pare`);
      const second = join(folder, `${name}-2.pare`);
      const decided = await pare(root, [...args, "-o", first]);
      const replayed = await pare(root, [
        ...args,
        "--frozen",
        join(first, "pare.lock.json"),
        "-o",
        second,
      ]);
      claim(`${name}: both runs exit with`, {
        value: [decided.code, replayed.code],
        bound: "0, 0",
        met: decided.code === 0 && replayed.code === 0,
        note: replayed.code === 0 ? undefined : replayed.stderr.slice(-300),
      });
      const [a, b] = [hashes(first), hashes(second)];
      claim(`${name}: variants with the same hashes under --frozen`, {
        value: b.filter((hash, index) => hash === a[index]).length,
        bound: a.length,
        n: a.length,
        met: a.length > 0 && a.join() === b.join(),
      });
      const latencies = (bundle) =>
        JSON.stringify(manifestOf(bundle).variants.map(({ latencyMs }) => latencyMs.p50 ?? null));
      claim(`${name}: latencies come from the lock`, {
        value: latencies(second),
        bound: latencies(first),
        met: latencies(second) === latencies(first),
      });
    }
    const module = await import(join(root, "fixtures/data/ocr-direction.mjs"));
    const { splits } = module;
    const owner = new Map(
      Object.entries(splits).flatMap(([split, ids]) => ids.map((id) => [id, split])),
    );
    claim("ids in one split only", {
      value: owner.size,
      bound: Object.values(splits).flat().length,
      met: owner.size === Object.values(splits).flat().length,
    });
    const seen = new Map();
    let leaks = 0;
    for await (const sample of typeof module.samples === "function"
      ? module.samples()
      : module.samples) {
      const hash = createHash("sha256");
      for (const feed of Object.values(sample.feeds))
        hash.update(
          new Uint8Array(
            (feed.data ?? feed).buffer,
            (feed.data ?? feed).byteOffset,
            (feed.data ?? feed).byteLength,
          ),
        );
      const key = hash.digest("hex");
      const split = owner.get(sample.id);
      if (seen.has(key) && seen.get(key) !== split) leaks += 1;
      seen.set(key, split);
    }
    claim("samples that lie in two splits", {
      value: leaks,
      bound: 0,
      n: seen.size,
      met: leaks === 0,
    });
  });
}
