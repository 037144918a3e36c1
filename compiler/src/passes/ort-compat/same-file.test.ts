import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { byteSource } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { inferNode } from "../../ops/index.js";
import { type Graph, verifyGraph } from "../../ir/index.js";
import { decodeModel } from "../../onnx/index.js";
import type { Activations } from "../../pipeline/activations.js";
import type { Pass } from "../../pipeline/pass.js";
import { quantizeDynamicOrt } from "../quantize-dynamic-ort.js";
import { quantizeStaticOrt } from "../quantize-static-ort.js";
import { quantizeWeightsOrt } from "../quantize-weights-ort.js";
import { fileLines } from "./file-lines.test.support.js";

/** What `bench/peers/quantizer_cases.py` wrote with onnxruntime 1.31.1. */
const folder = new URL("../../../../fixtures/goldens/quantizer/", import.meta.url);

const variants: Readonly<Record<string, () => Pass>> = {
  dynamic: () => dynamic({}),
  "dynamic-channel": () => dynamic({ granularity: "channel" }),
  "dynamic-reduced": () => dynamic({ reduceRange: true }),
  static: () => staticOf({}),
  "static-channel": () => staticOf({ granularity: "channel" }),
  "static-uint8": () => staticOf({ activations: "uint8" }),
  "static-reduced": () => staticOf({ reduceRange: true }),
  weights: () => weights({}),
  "weights-8": () => weights({ bits: 8, blockSize: 32 }),
  "weights-2": () => weights({ bits: 2, blockSize: 16 }),
  "weights-symmetric": () => weights({ symmetric: true, blockSize: 32 }),
};

function dynamic(options: Readonly<Record<string, unknown>>): Pass {
  return quantizeDynamicOrt.create(quantizeDynamicOrt.parse(options));
}

function staticOf(options: Readonly<Record<string, unknown>>): Pass {
  return quantizeStaticOrt.create(quantizeStaticOrt.parse(options));
}

function weights(options: Readonly<Record<string, unknown>>): Pass {
  return quantizeWeightsOrt.create(quantizeWeightsOrt.parse(options));
}

async function readFixture(name: string): Promise<Graph> {
  const proto = byteSource(await readFile(new URL(`${name}.onnx`, folder)));
  return decodeModel({ proto, external: new Map() }, { infer: inferNode });
}

/** The ranges that the tool saw. */
async function seenOf(name: string): Promise<Activations> {
  const text = await readFile(new URL(`${name}.ranges.json`, folder), "utf8");
  const seen = new Map(Object.entries<readonly number[]>(JSON.parse(text)));
  return {
    observe: async (graph, wanted) => ({
      ranges: new Map(
        wanted.map(({ value }) => {
          const { name: of } = graph.value(value);
          const [min, max] = seen.get(of) ?? [];
          if (min === undefined || max === undefined) throw new Error(`No range of ${of}.`);
          return [value, { min, max, sqnr: null }];
        }),
      ),
      channelMeans: new Map(),
    }),
  };
}

const files = readdirSync(folder).map((file) => file.replace(/\.onnx$/, ""));

describe.each(Object.entries(variants))("%s", (variant, create) => {
  const cases = files.filter((file) => file.endsWith(`.${variant}`));

  it.each(cases)("writes %s, by its names and bytes", async (file) => {
    const name = file.slice(0, -variant.length - 1);
    const graph = await readFixture(name);
    await create().run(
      graph,
      variant.startsWith("static") ? { activations: await seenOf(name) } : {},
    );
    verifyGraph(graph, variant);
    expect(await fileLines(graph)).toEqual(await fileLines(await readFixture(file)));
  });
});
