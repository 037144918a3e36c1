import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Dtype, ValueInfo } from "@pare/runtime/format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openData } from "./open-data.js";
import { soundLayout, soundTensor } from "./sound-tensor.js";
import { wavFile } from "./wav.test.support.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-sounds-"));
  for (const [name, values, rate] of [
    ["words/no/a.wav", [0.5, -0.5]],
    ["words/yes/b.wav", [0.25, 0.5, 0.75, 0.5]],
    ["words/yes/c.WAV", [0.125]],
    ["flat/x.wav", [0.5]],
    ["rates/x.wav", [0.5]],
    ["rates/y.wav", [0.5], 8000],
    ["mixed/x.wav", [0.5]],
  ] as const) {
    const path = join(folder, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, wavFile(values, { ...(rate && { rate }) }));
  }
});
beforeAll(() => writeFile(join(folder, "mixed", "x.png"), ""));
afterAll(() => rm(folder, { recursive: true }));

const input = (dims: ValueInfo["dims"], type: Dtype = "float32"): ValueInfo => ({
  name: "sound",
  type,
  dims,
});

const open = (name: string, info: ValueInfo, more: { readonly preprocess?: string } = {}) =>
  openData(join(folder, name), { inputs: [info], seed: 0, ...more });

describe("a folder of WAV files", () => {
  it("has its subfolders as labels; what is short ends in zeros, what is long is cut, and that is said", async () => {
    const data = await open("words", input([1, 3]));
    try {
      const all = await Promise.all([0, 1, 2].map((index) => data.samples.sample(index)));
      expect(all.map(({ id, label }) => [id, label])).toEqual([
        ["no/a.wav", 0],
        ["yes/b.wav", 1],
        ["yes/c.WAV", 1],
      ]);
      expect(all.map(({ feeds }) => [...(feeds["sound"]?.data ?? [])])).toEqual([
        [0.5, -0.5, 0],
        [0.25, 0.5, 0.75],
        [0.125, 0, 0],
      ]);
      expect(data.caveat).toMatch(
        /takes 3 samples of a sound: of 3 files, 1 longer ones were cut, and 2 shorter ones end/,
      );
    } finally {
      await data.dispose();
    }
  });

  it("is as long as each is where the model leaves that free, and has no labels without subfolders", async () => {
    const data = await open("flat", input(["batch", 1, "samples"]));
    try {
      const { feeds, label } = await data.samples.sample(0);
      expect(feeds).toEqual({
        sound: { type: "float32", dims: [1, 1, 1], data: Float32Array.of(0.5) },
      });
      expect(label).toBeNull();
      expect(data.caveat).not.toMatch(/takes/);
    } finally {
      await data.dispose();
    }
  });

  it("is refused with several rates, with images beside it, with --preprocess, and for an input that holds no sound", async () => {
    await expect(open("rates", input([null]))).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: "x.wav has 16000 samples a second, and y.wav has 8000.",
    });
    await expect(open("mixed", input([null]))).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringMatching(/holds images and WAV files/),
    });
    await expect(open("flat", input([null]), { preprocess: "0..1" })).rejects.toMatchObject({
      code: "ARGUMENT",
      message: expect.stringMatching(/--preprocess is for images/),
    });
    for (const info of [
      input([1, 80, 100]),
      input([1, 1, 1, 9]),
      input([1, 0]),
      input([1, 2 ** 40]),
      input([null], "int64"),
      input([]),
    ])
      await expect(open("flat", info)).rejects.toMatchObject({
        code: "DATA_MISMATCH",
        message: expect.stringMatching(/holds no sound/),
      });
  });
});

it("a sound is whole numbers for an input of int16", () => {
  const sound = { rate: 8000, samples: Float32Array.of(-1, 0.5, 1) };
  expect(soundTensor(sound, soundLayout(input([null], "int16")))).toEqual({
    type: "int16",
    dims: [3],
    data: Int16Array.of(-32768, 16384, 32767),
  });
});
