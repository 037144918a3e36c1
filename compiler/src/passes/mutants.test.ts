import { readFile } from "node:fs/promises";
import { byteSource, isPareError } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { countMacs, countOperators, countParameters } from "../analysis/index.js";
import { decodeModel, encodeModel } from "../onnx/index.js";
import { inferNode } from "../ops/index.js";
import { findPass } from "./index.js";

// A stranger's file that opens is inspected, simplified and pruned: this ends in a graph or in a PareError that says what is wrong.

const fixture = async (name: string) =>
  new Uint8Array(await readFile(new URL(`../../../fixtures/models/${name}.onnx`, import.meta.url)));

/** The same numbers below 1 on every run (Park and Miller). */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** "opens", or the code of the refusal. @throws whatever else comes out */
async function outcome(bytes: Uint8Array): Promise<string> {
  try {
    const graph = await decodeModel({ proto: byteSource(bytes) }, { infer: inferNode });
    countOperators(graph);
    countMacs(graph);
    countParameters(graph);
    await encodeModel(graph);
    for (const name of ["simplify", "prune"]) {
      const pass = findPass(name);
      await pass.create(pass.parse(undefined)).run(graph, {});
    }
    return "opens";
  } catch (error) {
    if (!isPareError(error) || error.code === "INTERNAL" || error.message === "") throw error;
    return error.code;
  }
}

describe.each(["mnist-cnn", "blazeface-front"])("of %s", (name) => {
  it("what is damaged opens or is refused by name", async () => {
    const bytes = await fixture(name);
    const next = random(2);
    const codes = new Set<string>();
    for (let index = 0; index < 80; index += 1) {
      const mutant = bytes.slice();
      // Most of the structure is at the beginning; most of the rest are weights.
      const range = index % 4 === 0 ? bytes.length : Math.min(bytes.length, 4000);
      for (let flips = 0; flips < 1 + (index % 3); flips += 1)
        mutant[Math.floor(next() * range)] = Math.floor(next() * 256);
      codes.add(await outcome(mutant));
    }
    expect(codes).toContain("opens");
    expect(codes.size).toBeGreaterThan(1);
  });
});
