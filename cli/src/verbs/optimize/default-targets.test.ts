import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "@pare/runtime";
import { aot } from "@pare/runtime/aot";
import { wasm } from "@pare/runtime/ort-web";
import { type GoldenCase, parseManifest, type Report } from "@pare/runtime/format";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { optimize, type OptimizeCall } from "../../index.js";
import { summaryText } from "../../report/summary.js";
import { anySize } from "../any-size.test.support.js";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../../fixtures/models/${name}.onnx`, import.meta.url));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-targets-"));
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  // What is meant for browsers runs in Node: this is about which targets there are.
  vi.stubEnv("PARE_CHROMIUM", "none");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const quick = { recipe: "simplify", timeBudgetMs: 20_000 } as const satisfies OptimizeCall;

const hashesOf = async (bundle: string): Promise<readonly string[]> => {
  const manifest = parseManifest(JSON.parse(await readFile(join(bundle, "manifest.json"), "utf8")));
  return manifest.variants.flatMap(({ files }) => files.map(({ sha256 }) => sha256));
};

function targetsOf({ variants }: Report): readonly string[] {
  return variants.map(({ target }) => target);
}

it("writes a module beside the engines' files where no target is named, and replays it", async () => {
  const output = join(folder, "digits.pare");
  const { report } = await optimize(fixture("mnist-cnn"), { ...quick, output });
  expect(targetsOf(report)).toEqual(["aot", "cpu", "wasm"]);
  expect(report.skipped.map(({ target }) => target)).toEqual(["webgpu"]);
  const settled = expect.stringMatching(/its batch \(N\) is fixed to 1.*--dim N=8/);
  expect(report.variants.map(({ restsOn }) => restsOn)).toEqual([settled, undefined, undefined]);
  expect(summaryText(report)).toMatch(/^note: aot: A run takes one sample: its batch \(N\)/m);

  const model = await load(output, { backends: [aot(), wasm()] });
  expect(model.selection).toMatchObject({ target: "aot", proven: true });
  expect(model.selection.tried).toHaveLength(1);
  const image = { type: "float32", dims: [1, 1, 28, 28], data: new Float32Array(784) } as const;
  const { logits } = await model.run({ x: image });
  expect(logits?.dims).toEqual([1, 10]);
  const two = { ...image, dims: [2, 1, 28, 28], data: new Float32Array(2 * 784) };
  await expect(model.run({ x: two })).rejects.toMatchObject({
    code: "INPUT",
    hint: expect.stringContaining("Its batch and sizes are fixed"),
  });
  await model.dispose();

  const again = join(folder, "again.pare");
  const frozen = join(output, "pare.lock.json");
  await optimize(fixture("mnist-cnn"), { frozen, output: again });
  expect(await hashesOf(again)).toEqual(await hashesOf(output));
});

it("compiles an entry for each of several sizes, which the golden check proves and the lock replays", async () => {
  const output = join(folder, "batches.pare");
  const asked = { dims: { N: [1, 3] }, target: ["aot", "cpu"] } as const;
  const { report } = await optimize(fixture("mnist-cnn"), { ...quick, ...asked, output });
  expect(report.variants[0]?.restsOn).toMatch(/an entry for each size.*: N is 1 or 3\./);
  const golden = JSON.parse(await readFile(join(output, "golden.json"), "utf8"));
  expect(golden.cases.map(({ inputs }: GoldenCase) => inputs[0]?.dims[0])).toEqual([1, 3]);
  const model = await load(output, { backends: [aot()] });
  expect(model.selection).toMatchObject({ target: "aot", proven: true });
  const imagesOf = (count: number) =>
    ({
      type: "float32",
      dims: [count, 1, 28, 28],
      data: Float32Array.from({ length: 784 * count }, (_, at) => (at % 784) / 784),
    }) as const;
  const one = (await model.run({ x: imagesOf(1) }))["logits"];
  const three = (await model.run({ x: imagesOf(3) }))["logits"];
  expect(three?.dims).toEqual([3, 10]);
  for (let at = 0; at < 30; at += 1)
    expect(three?.data[at]).toBeCloseTo(Number(one?.data[at % 10]), 4);
  await expect(model.run({ x: imagesOf(2) })).rejects.toMatchObject({
    code: "INPUT",
    hint: expect.stringMatching(/\[1, 1, 28, 28\], or .*\[3, 1, 28, 28\]\./),
  });
  await model.dispose();

  const frozen = join(output, "pare.lock.json");
  const again = join(folder, "batches-again.pare");
  for (const dims of [asked.dims, undefined]) {
    await optimize(fixture("mnist-cnn"), { ...(dims && { dims }), frozen, output: again });
    expect(await hashesOf(again)).toEqual(await hashesOf(output));
  }
  await expect(
    optimize(fixture("blazeface-front"), { frozen, output: join(folder, "none.pare") }),
  ).rejects.toMatchObject({ code: "LOCK", message: expect.stringContaining("the model") });
  await expect(
    optimize(fixture("mnist-cnn"), {
      dims: { N: [1, 2] },
      frozen,
      output: join(folder, "none.pare"),
    }),
  ).rejects.toMatchObject({ code: "LOCK", message: expect.stringContaining("the sizes of --dim") });
});

it("refuses sizes of a dim that no input has", async () => {
  const output = join(folder, "none.pare");
  await expect(
    optimize(fixture("mnist-cnn"), { ...quick, dims: { width: [1, 2] }, output }),
  ).rejects.toMatchObject({ code: "ARGUMENT", hint: "The free dims are N." });
});

it("says why there is no module, every reason at once, and writes the others", async () => {
  const notes: string[] = [];
  const { report } = await optimize(await anySize(folder), {
    ...quick,
    output: join(folder, "any-size.pare"),
    onNote: (line) => notes.push(line),
  });
  expect(targetsOf(report)).toEqual(["cpu", "wasm"]);
  const skipped = report.skipped.find(({ target }) => target === "aot");
  expect(skipped?.reason).toMatch(
    /H: its size is not fixed, give --dim .*W: its size is not fixed/,
  );
  expect(skipped?.reason).not.toContain("N: its size");
  expect(summaryText(report)).toContain(`skipped aot: ${skipped?.reason}`);
});
