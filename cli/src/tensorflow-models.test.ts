import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importModel } from "@pare/compiler";
import { byteSource } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandLines, type Ended } from "./command-lines.test.support.js";
import {
  graphModel,
  layersModel,
  side,
  someStripes,
  stripes,
  writeModel,
} from "./stripes.test.support.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-tensorflow-lines-"));
  await writeModel(join(folder, "stripes"), graphModel);
  await writeModel(join(folder, "layers"), layersModel);
  await writeModel(join(folder, "incomplete"), graphModel, 1);
  await writeFile(join(folder, "stripes.jsonl"), someStripes(60));
});
afterAll(() => rm(folder, { recursive: true }));

const lines = new CommandLines(() => folder);
afterAll(() => lines.dispose());

function pare(line: string): Promise<Ended> {
  const env = { XDG_CACHE_HOME: join(folder, "cache"), PARE_CHROMIUM: "none" };
  return lines.run(line.split(" "), { env });
}

describe("a model.json of TensorFlow.js", () => {
  it.each(["stripes", "layers"])("is written as ONNX by convert: %s", async (name) => {
    const { code, stdout } = await pare(`convert ${name}/model.json`);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`${name}.onnx`)]);
    const main = byteSource(await readFile(join(folder, `${name}.onnx`)));
    const graph = await importModel({ name: `${name}.onnx`, main, beside: new Map() });
    const found = graph.order().map(({ op }) => op);
    expect(found.filter((op) => op === "Conv")).toHaveLength(1);
    // A single channel lies the same way last as first.
    expect(found).not.toContain("Transpose");
  });

  it("is optimized as any other, and its bundle takes what it took", async () => {
    const ended = await pare(
      "optimize stripes/model.json --target cpu,aot --time-budget 20s --data stripes.jsonl --json",
    );
    expect([ended.code, ended.stdout]).toEqual([0, expect.anything()]);
    const { variants } = JSON.parse(ended.stdout);
    expect(variants).toMatchObject([
      { target: "cpu", accuracy: { metric: "top1", value: 1 } },
      { target: "aot", accuracy: { metric: "top1", value: 1 } },
    ]);
    await writeFile(join(folder, "one.json"), JSON.stringify([stripes(5).x]));
    const ran = await pare("run stripes.pare --json --input x=one.json");
    const { scores } = JSON.parse(ran.stdout).outputs;
    expect(scores.dims).toEqual([1, 2]);
    expect(scores.data[1]).toBeGreaterThan(scores.data[0]);
  });

  it("is run, looked at and compared with what was made of it", async () => {
    await writeFile(join(folder, "one.json"), JSON.stringify([stripes(4).x]));
    const ran = await pare("run stripes/model.json --json --input x=one.json");
    const [lying, standing] = JSON.parse(ran.stdout).outputs.scores.data;
    expect(lying).toBeGreaterThan(standing);
    const looked = await pare("inspect stripes/model.json --json");
    expect(JSON.parse(looked.stdout)).toMatchObject({
      inputs: [{ name: "x", dims: [expect.anything(), side, side, 1] }],
    });
    const quantized = await pare("quantize stripes/model.json --mode weights -o int8.onnx");
    expect(quantized.code).toBe(0);
    const compared = await pare(
      "bench stripes/model.json int8.onnx --target cpu --data stripes.jsonl --json",
    );
    expect([compared.code, compared.stdout]).toEqual([0, expect.anything()]);
  });

  it("of which a shard is missing is refused with its name, and nothing is written", async () => {
    const { code, stdout } = await pare("convert incomplete/model.json -o none.onnx --json");
    expect([code, JSON.parse(stdout).error]).toEqual([
      2,
      expect.objectContaining({ code: "EXTERNAL_DATA", where: expect.stringContaining("shard2") }),
    ]);
    await expect(readFile(join(folder, "none.onnx"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
