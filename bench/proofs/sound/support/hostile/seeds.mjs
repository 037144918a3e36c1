// What mutants are made from: the files that Pare reads, as it and others write them.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { unzipSync, zipSync } from "fflate";
import { formatNpy } from "../../../../../cli/dist/data/npy.js";
import { randomStream } from "../choices.mjs";
import { mutateBytes } from "./random.mjs";

/** Above this a mutant of a model would be mostly weights. */
const mostModelBytes = 2 ** 20;

/** Models by name: the backend tests of ONNX, the fixtures, and those that broke something once. */
export function modelSeeds(root) {
  const seeds = new Map();
  const folder = join(root, "fixtures/backend-tests");
  for (const archive of readdirSync(folder).filter((name) => name.endsWith(".zip"))) {
    const entries = unzipSync(readFileSync(join(folder, archive)), {
      filter: ({ name }) => name.endsWith(".onnx"),
    });
    for (const [name, bytes] of Object.entries(entries)) seeds.set(name, bytes);
  }
  for (const place of ["fixtures/models", "fixtures/hostile", "runtime/test-models"]) {
    for (const name of readdirSync(join(root, place)).filter((one) => one.endsWith(".onnx")))
      seeds.set(`${place}/${name}`, readFileSync(join(root, place, name)));
  }
  return new Map(
    [...seeds]
      .filter(([, bytes]) => bytes.length <= mostModelBytes)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Makes the other seeds in a folder: a bundle with its lock, data files, a recipe, settings, a cache's entry. */
export async function writeOtherSeeds(root, folder) {
  mkdirSync(folder, { recursive: true });
  const pare = (...args) =>
    execFileSync(process.execPath, [join(root, "cli/bin/pare.js"), ...args], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
  cpSync(join(root, "fixtures/models/mnist-cnn.onnx"), join(folder, "mnist.onnx"));
  pare(
    "optimize",
    join(folder, "mnist.onnx"),
    "--target",
    "cpu,wasm",
    "--time-budget",
    "8s",
    "-o",
    join(folder, "bundle"),
  );
  writeData(
    folder,
    JSON.parse(readFileSync(join(folder, "bundle/manifest.json"), "utf8")).inputs[0].name,
  );
  await writeImages(root, join(folder, "photos"));
  writeFileSync(
    join(folder, "recipe.json"),
    JSON.stringify({
      name: "mine",
      steps: [
        { use: "simplify" },
        {
          together: [
            { use: "equalize" },
            { use: "quantize-static", with: { ranges: "percentile" } },
          ],
          name: "integers",
        },
        "quantize-weights",
      ],
    }),
  );
  writeFileSync(
    join(folder, "pare.config.json"),
    JSON.stringify({
      models: { mnist: { maxDrop: 0.01, maxSize: "1MB", targets: { cpu: { maxLatency: 5 } } } },
    }),
  );
  const { DiskCache } = await import("../../../../../cli/dist/cache/disk-cache.js");
  mkdirSync(join(folder, "cache"));
  const cache = new DiskCache({
    folder: join(folder, "cache"),
    mostBytes: 2 ** 24,
    identity: "hostile",
    onNote: () => {},
  });
  await cache.put({ hash: "seed" }, mutateBytes(new Uint8Array(300), randomStream(1)));
}

async function writeImages(root, folder) {
  const sharp = createRequire(join(root, "cli/package.json"))("sharp");
  mkdirSync(folder);
  const random = randomStream(3);
  const raw = { width: 40, height: 30, channels: 3 };
  for (const format of ["png", "jpeg", "webp"]) {
    const pixels = Buffer.from(Uint8Array.from({ length: 3600 }, () => random.below(256)));
    await sharp(pixels, { raw })
      .toFormat(format)
      .toFile(join(folder, `photo.${format}`));
  }
}

/** Samples for an input [1, 1, 28, 28], in each format that is read. */
function writeData(folder, input) {
  const random = randomStream(7);
  const values = () => Float32Array.from({ length: 2 * 784 }, random.next);
  const npy = formatNpy({ type: "float32", dims: [2, 1, 28, 28], data: values() });
  writeFileSync(join(folder, "data.npy"), npy);
  writeFileSync(join(folder, "data.npz"), zipSync({ [`${input}.npy`]: npy }));
  const header = Buffer.from(
    JSON.stringify({
      [input]: { dtype: "F32", shape: [2, 1, 28, 28], data_offsets: [0, 2 * 784 * 4] },
    }),
  );
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(
    join(folder, "data.safetensors"),
    Buffer.concat([size, header, new Uint8Array(values().buffer)]),
  );
  const line = (id) =>
    JSON.stringify({
      id,
      label: 1,
      [input]: Array.from({ length: 784 }, () => Math.round(random.next() * 100) / 100),
    });
  writeFileSync(join(folder, "data.jsonl"), `${line("a")}\n${line("b")}\n`);
}
