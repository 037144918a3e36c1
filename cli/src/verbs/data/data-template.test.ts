import type { ValueInfo } from "@pare/runtime/format";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dataModule } from "./data-template.js";

const info = (name: string, dim: string | number = 2): ValueInfo => ({
  name,
  type: "float32",
  dims: [1, dim],
});

/** The feeds of the first sample, by the module itself. */
async function firstFeeds(text: string): Promise<object> {
  const url = `data:text/javascript;base64,${Buffer.from(text).toString("base64")}`;
  const module: { samples(): AsyncIterable<{ feeds: object }> } = await import(url);
  for await (const { feeds } of module.samples()) return feeds;
  throw new Error("There is no sample.");
}

const hostile = [
  "x\nglobalThis.stolen = 1; //",
  "x\u2028globalThis.stolen = 1; //",
  "x\rglobalThis.stolen = 1; //",
  "*/ globalThis.stolen = 1; /*",
  '"]; globalThis.stolen = 1; ["',
  "${globalThis.stolen = 1}",
  "`+(globalThis.stolen = 1)+`",
  "__proto__",
  "constructor",
];

describe("a data module", () => {
  it("feeds inputs by their names, whatever those are", async () => {
    const odd = fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 20 }),
      fc.constantFrom(
        ...hostile,
        "enum",
        "static",
        "index",
        "input0",
        "input1",
        "Float32Array",
        "x",
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(odd, { minLength: 1, maxLength: 4 }),
        odd,
        async (names, dim) => {
          const inputs = names.map((name) => info(name, dim));
          const feeds = await firstFeeds(dataModule("model.onnx", inputs, [info(dim)]));
          expect(Object.keys(feeds).toSorted()).toEqual(names.toSorted());
        },
      ),
      { numRuns: 60 },
    );
  });

  it("gives floats for an input in float16", async () => {
    const half: ValueInfo = { name: "x", type: "float16", dims: [1, 2] };
    const feeds = await firstFeeds(dataModule("model.onnx", [half], []));
    expect(feeds).toEqual({ x: { type: "float32", dims: [1, 2], data: new Float32Array(2) } });
  });

  it("runs nothing that a model's or a file's name says", async () => {
    for (const text of hostile)
      await firstFeeds(dataModule(`${text}.onnx`, [info(text, text)], [info(text, text)]));
    expect(globalThis).not.toHaveProperty("stolen");
  });

  it("gives free dims the sizes that a model is checked and timed with", async () => {
    const inputs: ValueInfo[] = [
      info("signal", "samples"),
      { name: "image", type: "float32", dims: ["N", 3, "height", "width"] },
    ];
    expect(await firstFeeds(dataModule("model.onnx", inputs, [info("y")]))).toMatchObject({
      signal: { dims: [1, 128] },
      image: { dims: [1, 3, 224, 224] },
    });
  });

  it("brings a metric that counts what is right, once its comment is taken away", async () => {
    const scored = (data: ArrayLike<number | bigint>) => ({ data });
    const cases = [
      [{ name: "y", type: "float32", dims: [1, 3] }, scored(Float32Array.of(0.1, 0.2, 0.7)), 2],
      [{ name: "y", type: "float32", dims: ["batch", 1] }, scored(Float32Array.of(0.7)), 1],
      [{ name: 'a"b', type: "int64", dims: [1] }, scored(BigInt64Array.of(4n)), 4],
    ] as const;
    for (const [output, given, label] of cases) {
      const text = dataModule("model.onnx", [info("x")], [output]);
      const own = text.slice(text.indexOf("// export function predict")).replaceAll(/^\/\/ /gm, "");
      const { predict, metric } = await import(
        `data:text/javascript;base64,${Buffer.from(own).toString("base64")}`
      );
      const predictions = [predict({ [output.name]: given }), predict({ [output.name]: given })];
      expect(metric.reduce(predictions, [label, label + 1])).toBe(0.5);
    }
  });

  it("names its variables after plain inputs", () => {
    const text = dataModule("model.onnx", [info("x"), info("mask")], [info("y")]);
    expect(text).toContain("feeds: { x, mask }");
    expect(text).toContain("//   x: float32 [1, 2]");
  });
});
