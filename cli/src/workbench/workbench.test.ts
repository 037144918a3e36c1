import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeModel, parseGraph } from "@pare/compiler";
import { byteSource } from "@pare/runtime/format";
import { afterAll, beforeAll, expect, it } from "vitest";
import { formatNpy } from "../data/npy.js";
import { openModelSource } from "./opened-model.js";
import { openWorkbench } from "./workbench.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-workbench-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("counts the samples that it reads, of which the whole is no further", async () => {
  const graph = parseGraph(
    "graph main opset 21 (x: float32[2]) -> (y) {\n  %1 = Neg(x) : float32[2]\n  return %1\n}\n",
  );
  const { proto } = await encodeModel(graph);
  const source = { name: "m.onnx", main: byteSource(proto), beside: new Map() };
  const model = await openModelSource("m.onnx", source, { shapes: {}, dims: {}, constants: {} });
  const data = join(folder, "x.npy"); // says how many there are
  const rows = Float32Array.from({ length: 40 }, (_, at) => at);
  await writeFile(data, formatNpy({ type: "float32", dims: [20, 2], data: rows }));
  const told: (readonly [number, string])[] = [];
  const output = {
    note() {},
    detail() {},
    progress: (fraction: number, what: string) => void told.push([fraction, what]),
  };
  const { signal } = new AbortController();
  const workbench = await openWorkbench(model, ["cpu"], { data }, 0, output, signal);
  await workbench.dispose();
  expect(told.length).toBeGreaterThan(0);
  expect(new Set(told.map(([fraction]) => fraction))).toEqual(new Set([0]));
  expect(told.at(-1)?.[1]).toBe("reading samples: 20/20");
});
