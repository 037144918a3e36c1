import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, encodeModel, inferNode, newHeader, Tensor, tensorType } from "@pare/compiler";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandLines, type Ended } from "./command-lines.test.support.js";
import { formatNpy } from "./data/npy.js";
import { wavFile } from "./data/wav.test.support.js";

const silero = fileURLToPath(new URL("../../fixtures/models/silero-vad-v5.onnx", import.meta.url));

const rate = 16000;
const length = 512;
/** Labels, with the tone that each is; in the order of their numbers. */
const pitches = { high: 4000, low: 1000 } as const;

const tone = (pitch: number, count: number, phase = 0): readonly number[] =>
  Array.from({ length: count }, (_, at) => Math.sin(phase + (2 * Math.PI * pitch * at) / rate) / 2);

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-sound-lines-"));
  for (const [label, pitch] of Object.entries(pitches)) {
    await mkdir(join(folder, "tones", label), { recursive: true });
    for (let at = 0; at < 30; at += 1)
      await writeFile(
        join(folder, "tones", label, `${at}.wav`),
        wavFile(tone(pitch, length - 30 + 2 * at, at), { rate }),
      );
  }
  await writeFile(join(folder, "tones.onnx"), await toneClassifier());
  const state = new Float32Array(2 * 128);
  await writeFile(
    join(folder, "state.npy"),
    formatNpy({ type: "float32", dims: [2, 1, 128], data: state }),
  );
  await writeFile(join(folder, "long.wav"), wavFile(tone(300, 1000), { rate }));
});
afterAll(() => rm(folder, { recursive: true }));

const lines = new CommandLines(() => folder);
afterAll(() => lines.dispose());

function pare(line: string, ...more: readonly string[]): Promise<Ended> {
  const env = { XDG_CACHE_HOME: join(folder, "cache"), PARE_CHROMIUM: "none" };
  return lines.run([...line.split(" "), ...more], { env });
}

/** [1, length] to a score for each tone: how loud it is. */
async function toneClassifier(): Promise<Uint8Array> {
  const taps = 32;
  const filters = Object.values(pitches).flatMap((pitch) =>
    [0, 1, 2, 3].flatMap((quarter) => tone(pitch, taps, (quarter * Math.PI) / 2)),
  );
  const heads = Array.from({ length: 16 }, (_, at) => (at % 2 === Math.floor(at / 8) ? 1 : 0));
  const graph = build(newHeader(21), inferNode, (editor) => {
    const sound = editor.addInput("sound", tensorType("float32", [1, length]));
    const plane = editor.add1("Reshape", [
      sound,
      editor.constant("plane", Tensor.int64([1, 1, -1])),
    ]);
    const kernel = editor.constant("kernel", Tensor.float32([8, 1, taps], filters));
    const loud = editor.add1("Relu", [editor.add1("Conv", [plane, kernel])]);
    const means = editor.add1("Flatten", [editor.add1("GlobalAveragePool", [loud])]);
    const head = editor.constant("head", Tensor.float32([8, 2], heads));
    const scores = editor.add1("Gemm", [means, head]);
    editor.rename(scores, "scores");
    editor.addOutput(scores);
  });
  return (await encodeModel(graph)).proto;
}

describe("a folder of WAV files", () => {
  it("is what optimize checks on, and its bundle takes one", async () => {
    const ended = await pare(
      "optimize tones.onnx --target cpu --time-budget 20s --data tones -o tones.pare --json",
    );
    expect([ended.code, ended.stderr]).toEqual([0, expect.anything()]);
    const { data, variants } = JSON.parse(ended.stdout);
    expect(variants).toMatchObject([
      { evidence: "labelled", accuracy: { metric: "top1", value: 1 } },
    ]);
    expect(data.caveat).toMatch(/of 60 files, 28 longer ones were cut, and 30 shorter ones end/);
    const ran = await pare("run tones.pare --json --input sound=tones/high/0.wav");
    const [high, low] = JSON.parse(ran.stdout).outputs.scores.data;
    expect(high).toBeGreaterThan(low);
  });

  it("is what quantize calibrates on, and bench compares on", async () => {
    const made = await pare("quantize tones.onnx --mode static --data tones -o int8.onnx");
    expect(made.code).toBe(0);
    const ended = await pare("bench tones.onnx int8.onnx --target cpu --data tones --json");
    expect(ended.code).toBe(0);
    const { variants } = JSON.parse(ended.stdout);
    expect(variants).toMatchObject([{ accuracy: { metric: "top1", value: 1 } }]);
  });
});

describe("a WAV file as an input of a run", () => {
  const run = `run ${silero} --input input=long.wav --input state=state.npy --const sr=16000`;

  it("is as much of it as the model takes, which is said", async () => {
    const sizes = ["--shape", "input=1x576", "--shape", "state=2x1x128"];
    const { code, stdout, stderr } = await pare(run, ...sizes, "--json");
    expect(code).toBe(0);
    expect(stderr).toContain("input is the first 576 of 1000 samples of long.wav.");
    const { output, stateN } = JSON.parse(stdout).outputs;
    expect([output.dims, stateN.dims]).toEqual([
      [1, 1],
      [2, 1, 128],
    ]);
    const part = tone(300, 576);
    await writeFile(join(folder, "part.wav"), wavFile(part, { rate }));
    // Free sizes are as the file has them.
    const whole = await pare(run.replace("long.wav", "part.wav"), "--json");
    expect(JSON.parse(whole.stdout).outputs.output.data[0]).toBeCloseTo(output.data[0], 5);
  });

  it("is refused with --preprocess", async () => {
    const { code, stdout } = await pare(run, "--preprocess", "0..1", "--json");
    expect([code, JSON.parse(stdout).error]).toEqual([
      2,
      expect.objectContaining({
        code: "ARGUMENT",
        message: "--preprocess is for images, and no input is one.",
      }),
    ]);
  });
});
