import { PareError, type TargetName } from "@pare/runtime/format";
import { expect, it } from "vitest";
import { presets } from "../recipes/presets.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { optimize } from "./optimize.js";
import { replay } from "./replay.js";
import { bytesOf, device, original, requestFor } from "./search-request.test.support.js";
import { type Simulated, simulatedMeasure } from "./simulated-measure.test.support.js";

const devices = [device("aot"), device("cpu"), device("wasm")];
const plain = (): Simulated => simulatedMeasure(() => ({}));

/** Open in its width, and of operators that nothing is compiled of. */
const uncompiled = () =>
  graphOf({ x: ["float32", "N", 1, 28, "W"] }, (input, b) => ({
    y: b.add("RandomNormalLike", [b.add("Bernoulli", [input("x")])]),
  }));

it("makes a module for a target without an engine, beside the files of those that have one", async () => {
  const measure = plain();
  const recipe = { ...presets.auto, propose: false };
  const request = await requestFor(measure, { devices, recipe });
  const { variants, skipped, lock } = await optimize(request);
  expect(skipped).toEqual([]);
  expect(variants.map(({ target, artifact }) => [target, artifact.format])).toEqual([
    ["aot", "wasm"],
    ["cpu", "onnx"],
    ["wasm", "onnx"],
  ]);
  // One file is the model as it is and simplified: it is tried once, and timed against nothing.
  const ofModule = measure.asked.filter(({ target }) => target === "aot");
  expect(ofModule.filter(({ what }) => what === "tryOut")).toHaveLength(1);
  for (const { what, artifacts } of ofModule)
    if (what === "latency") expect(artifacts).toHaveLength(1);

  const again = await replay(await requestFor(plain()), lock);
  expect(again.variants.map(({ files }) => files)).toEqual(variants.map(({ files }) => files));
  const [module] = lock.targets;
  const other = { ...lock, targets: [{ ...module, files: [{ name: "x", sha256: "0" }] }] };
  await expect(replay(await requestFor(plain()), other as typeof lock)).rejects.toMatchObject({
    code: "LOCK",
    where: "aot",
  });
});

it("leaves a target out that cannot compile the model, with every reason at once", async () => {
  const { variants, skipped } = await optimize(
    await requestFor(plain(), { devices, graph: uncompiled() }),
  );
  expect(variants.map(({ target }) => target)).toEqual(["cpu", "wasm"]);
  expect(skipped).toEqual([
    {
      target: "aot",
      reason: expect.stringMatching(
        /^The model cannot be compiled for aot.*: 1 × Bernoulli: it is not compiled \(\S+\); 1 × RandomNormalLike: it is not compiled \(y\); 1 × W: its size is not fixed, give --dim W=… \(x\)\.$/,
      ),
    },
  ]);
});

it("refuses the model where that target is the only one", async () => {
  const request = await requestFor(plain(), { devices: [device("aot")], graph: uncompiled() });
  await expect(optimize(request)).rejects.toMatchObject({
    code: "UNSUPPORTED_OP",
    message: expect.stringMatching(/Bernoulli.*RandomNormalLike.*W/),
  });
});

it("says that sizes are to be fixed where nothing else is in the way", async () => {
  const graph = graphOf({ x: ["float32", "N", 1, 28, "W"] }, (input, b) => ({
    y: b.add("Relu", [input("x")]),
  }));
  const request = await requestFor(plain(), { devices: [device("aot")], graph });
  await expect(optimize(request)).rejects.toMatchObject({
    code: "UNSUPPORTED_OP",
    hint: expect.stringContaining("Fix these sizes"),
  });
});

const otherSizes = new PareError("INPUT", "It got dims [3, 1, 28, 28].");

it.each<[string, (measure: Simulated) => Simulated]>([
  [
    "the first",
    (measure) => ({
      ...measure,
      tryOut: (ask) => (ask.target === "aot" ? Promise.reject(otherSizes) : measure.tryOut(ask)),
    }),
  ],
  [
    "a later one of the validation samples",
    (measure) => ({
      ...measure,
      accuracy: (ask) =>
        ask.target === "aot" && ask.count > 100
          ? Promise.reject(otherSizes)
          : measure.accuracy(ask),
    }),
  ],
  [
    "one of the test samples",
    (measure) => ({
      ...measure,
      accuracy: (ask) =>
        ask.target === "aot" && ask.split === "test"
          ? Promise.reject(otherSizes)
          : measure.accuracy(ask),
    }),
  ],
])("leaves a module out where %s is of other sizes, and not the others", async (_, refusing) => {
  const { variants, skipped } = await optimize(await requestFor(refusing(plain()), { devices }));
  expect(variants.map(({ target }) => target)).toEqual(["cpu", "wasm"]);
  expect(skipped).toEqual([{ target: "aot", reason: otherSizes.message }]);
});

it("takes a sample that fits none of an engine's inputs for a fault of the data", async () => {
  const measure = plain();
  const refusing: Simulated = { ...measure, tryOut: () => Promise.reject(otherSizes) };
  const request = await requestFor(refusing, { devices: [device("cpu"), device("wasm")] });
  await expect(optimize(request)).rejects.toBe(otherSizes);
});

it("lets no module answer for an engine, which loads other files", async () => {
  const simulated = simulatedMeasure(
    (artifact) => (bytesOf(artifact) < 0.4 * bytesOf(original) ? { ratio: 0.5 } : {}),
    { calibration: 4, validation: 400, test: 400 },
    { sampleMs: 100 },
  );
  const answering = new Set<TargetName>();
  const measure: Simulated = {
    ...simulated,
    sampleMs: async (_, target) => (target === "aot" ? 1 : target === "wasm" ? 40 : 10),
    async accuracy(ask) {
      if (ask.artifact.format === "onnx") answering.add(ask.target);
      expect(ask.artifact.format === "wasm").toBe(ask.target === "aot");
      return simulated.accuracy(ask);
    },
    async parity(ask) {
      expect(ask.artifact.format === "wasm").toBe(ask.target === "aot");
      return simulated.parity(ask);
    },
  };
  const clock = { now: () => simulated.spentMs };
  await optimize(await requestFor(measure, { devices, clock }));
  expect(answering).toEqual(new Set(["cpu", "wasm"]));
});
