import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Manifest } from "@pare/runtime/format";
import { encodeModel, parseGraph } from "@pare/compiler";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandLines, type CommandLineOptions, type Ended } from "./command-lines.test.support.js";
import { installed as runInstalled } from "./installed.test.support.js";

// What was built. Most command lines run one after the other in a process that has loaded it; `installed` is the command
// line as it is installed, in a process of its own.

const bin = fileURLToPath(new URL("../bin/pare.js", import.meta.url));
const mnist = fileURLToPath(new URL("../../fixtures/models/mnist-cnn.onnx", import.meta.url));
const freeSizes = mnist.replace("mnist-cnn", "ocr-direction");
const images = fileURLToPath(new URL("../test-data/images", import.meta.url));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-cli-"));
});
afterAll(() => rm(folder, { recursive: true }));

const lines = new CommandLines(() => folder);
afterAll(() => lines.dispose());

const ownCache = (): Readonly<Record<string, string>> => ({
  XDG_CACHE_HOME: join(folder, "cache"),
});

function pare(args: readonly string[], options: CommandLineOptions = {}): Promise<Ended> {
  return lines.run(args, { ...options, env: { ...ownCache(), ...options.env } });
}

function installed(
  args: readonly string[],
  options: Parameters<typeof runInstalled>[1] = {},
): Promise<Ended> {
  return runInstalled(args, { cwd: folder, ...options, env: { ...ownCache(), ...options.env } });
}

async function write(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(folder, name), content);
  return name;
}

// Just enough of protobuf to write models that no exporter would.
const field = (number: number, value: string | number | Uint8Array): Uint8Array => {
  if (typeof value === "number") return Uint8Array.of(number << 3, value);
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return Uint8Array.of(
    (number << 3) | 2,
    ...(bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]),
    ...bytes,
  );
};
const join_ = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));
const node = (op: string, inputs: readonly string[], output: string): Uint8Array =>
  field(1, join_(...inputs.map((name) => field(1, name)), field(2, output), field(4, op)));
const value = (number: number, name: string): Uint8Array =>
  field(
    number,
    join_(field(1, name), field(2, field(1, join_(field(1, 1), field(2, field(1, field(1, 2))))))),
  );
/** Of dims 2 and W. */
const open_ = (number: number, name: string): Uint8Array => {
  const dims = join_(field(1, field(1, 2)), field(1, field(2, "W")));
  return field(
    number,
    join_(field(1, name), field(2, field(1, join_(field(1, 1), field(2, dims))))),
  );
};
const model = (...graph: readonly Uint8Array[]): Uint8Array =>
  join_(
    field(1, 8),
    field(7, join_(...graph, field(2, "g"), value(11, "x"), value(12, "y"))),
    field(8, field(2, 17)),
  );
const tensor = (name: string, ...rest: readonly Uint8Array[]): Uint8Array =>
  field(5, join_(field(1, 2), field(2, 1), field(8, name), ...rest));

describe("what is said", () => {
  it.runIf(process.platform === "linux")("is no success where it cannot be written", async () => {
    const full = await open("/dev/full", "w");
    try {
      for (const args of [["inspect", mnist], ["inspect", mnist, "--json"], ["--help"]]) {
        const child = spawn(process.execPath, [bin, ...args], {
          stdio: ["ignore", full.fd, "pipe"],
        });
        let stderr = "";
        child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
        const [code] = await once(child, "close");
        expect(code).toBe(2);
        expect(stderr).toContain("NO_SPACE");
      }
    } finally {
      await full.close();
    }
  });

  it.runIf(process.platform === "linux")(
    "is one document with --json, whatever fails once it is said",
    async () => {
      const digits = mnist.replace("mnist-cnn", "latency/mnist");
      const args = ["bench", digits, "--target", "cpu", "--json", "--report", "md=/dev/full"];
      const { code, stdout, stderr } = await pare(args);
      expect(code).toBe(2);
      expect(JSON.parse(stdout)).toHaveProperty("variants");
      expect(stderr).toContain("NO_SPACE");
    },
  );

  it("and read by nobody, still leaves the exit code", async () => {
    for (const [path, expected] of [
      ["absent.onnx", 2],
      [mnist, 0],
    ] as const) {
      const child = spawn(process.execPath, [bin, "inspect", path, "--json"], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      child.stdout.destroy();
      const [code] = await once(child, "exit");
      expect(code).toBe(expected);
    }
  });

  it("is said in full, with its exit code, where nobody reads what is said beside it", async () => {
    for (const [args, expected] of [
      [["inspect", "absent.onnx"], 2],
      [["simplify", mnist, "-o", join(folder, "unheard.onnx"), "--verbose"], 0],
    ] as const) {
      const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "pipe"] });
      child.stderr.destroy();
      child.stdout.resume();
      const [code] = await once(child, "exit");
      expect(code).toBe(expected);
    }
  });

  it("cannot be steered by a model", async () => {
    const hostile = "x\u001b]0;title\u0007\n  forged: row";
    const bytes = model(node("Relu", [hostile], "y"), field(2, "g"), value(11, hostile));
    const { stdout } = await pare(["inspect", await write("steering.onnx", bytes)]);
    expect(stdout).toContain("x\\u{1b}]0;title\\u{7}\\u{a}  forged: row");
    for (const character of ["\u0007", "\u001b"]) expect(stdout).not.toContain(character);
  });
});

describe("asking for help", () => {
  it("lists the verbs, and a verb's options", async () => {
    const help = await installed(["--help"]);
    expect(help.code).toBe(0);
    for (const verb of [
      "optimize",
      "simplify",
      "prune",
      "quantize",
      "convert",
      "distill",
      "inspect",
      "run",
      "bench",
      "data",
      "doctor",
      "completion",
    ])
      expect(help.stdout).toMatch(new RegExp(`^  ${verb} `, "m"));
    expect(help.stdout).toMatch(/^Examples:\n {2}pare optimize /m);
    expect(help.stdout.trimEnd()).toMatch(/\nDocs: docs\/reference\/cli\.md [^\n]+$/);
    const { stdout } = await pare(["optimize", "--help"]);
    expect(stdout).toMatch(/\nExamples:\n {2}pare optimize [^]*\nDocs: /);
    expect(stdout).toMatch(/--max-drop[^]*--no-cache/);
    expect(stdout.replace(/\s+/g, " ")).toMatch(/--time-budget <time>[^-]*\(default: 2m/);
    expect((await installed(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("comes as a script that completes a shell's lines, which bash reads", async () => {
    const { code, stdout } = await pare(["completion", "bash"]);
    expect(code).toBe(0);
    const script = await write("completion.bash", stdout);
    const line = `source ${script}; COMP_WORDS=(pare opt); COMP_CWORD=1; _pare; echo "$COMPREPLY"`;
    const child = spawn("bash", ["--norc", "-c", line], { cwd: folder });
    let offered = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (offered += text));
    await once(child, "close");
    expect(offered).toBe("optimize\n");
    expect(await pare(["completion", "tcsh"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no completion for "tcsh"[^]*bash, zsh, fish/),
    });
  });

  it("is what a missing verb gets, on stderr", async () => {
    expect(await installed([])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("Usage: pare"),
    });
  });
});

describe("what is wrong with arguments", () => {
  it.each([
    [["inspct", "m.onnx"], /Did you mean inspect/],
    [["help", "nope"], /Unknown command 'nope'/],
    [["inspect"], /Missing required argument/],
    [["inspect", mnist, "--jsn"], /Unknown option '--jsn'/],
    [["optimize", mnist, "-o", ""], /Option '--output' is empty/],
    [["optimize", mnist, "--target", "gpu"], /no target "gpu"/],
    [["optimize", mnist, "--target", "webnn"], /webnn is not available/],
    [["bench", freeSizes, "--target", "aot"], /cannot be compiled[^]*its size is not fixed, give/],
    [["bench", freeSizes, "--open"], /cannot be compiled[^]*its size is not fixed, give/],
    [["bench", mnist, mnist, "--open"], /--open does not go with a candidate/],
    [["bench", mnist, "--open", "--max-size", "1MB"], /--open does not go with --max-size/],
    [["bench", mnist, "--open", "--target", "cpu"], /--open does not time cpu/],
    [["optimize", mnist, "--max-drop", "0.01"], /--max-drop needs --data/],
    [["optimize", mnist, "--recipe", "magic"], /no recipe "magic"/],
    [["optimize", mnist, "--report", "pdf=x"], /no report format "pdf"/],
    [["optimize", mnist, "--frozen", "absent.json"], /no file absent\.json/],
    [["optimize", mnist, "--shape", "y=1x2"], /no input "y"/],
    [["optimize", mnist, "--shape", "x=1xbig"], /no shape for "x"/],
    [["prune", mnist, "--keep-flops", "0.5", "--keep-params", "0.5"], /do not go together/],
    [["prune", mnist, "--keep-flops", "0"], /must be from 0.01 to 1/],
    [["prune", mnist, "--keep-flops", "0.01"], /with one unit left of each of 3 groups/],
    [["prune", mnist, "--importance", "luck"], /no importance "luck"/],
    [["prune", mnist, "--importance", "activation"], /needs --data/],
    [["quantize", mnist, "--mode", "static"], /needs --data/],
    [["quantize", mnist, "--mode", "gptq"], /no mode "gptq"/],
    [["quantize", mnist, "--recipe", "simplify", "--keep-metadata"], /--recipe names the steps/],
    [["quantize", mnist, "--mode", "weights", "--bits", "3"], /--bits 3 does not go with --mode w/],
    [["quantize", mnist, "--mode", "static", "--bits", "2"], /--bits 2 does not go with --mode s/],
    [["quantize", mnist, "--bits", "4"], /--bits 4 does not go with --mode dynamic/],
    [["quantize", mnist, "--ort-compat", "--mode", "fp16"], /no mode "fp16" with --ort-compat/],
    [
      ["quantize", mnist, "--ort-compat", "--bits", "4"],
      /--bits 4 does not go with --mode dynamic w/,
    ],
    [["quantize", mnist, "--ort-compat", "--mode", "static"], /needs --data/],
    [
      ["quantize", mnist, "--recipe", "simplify", "--ort-compat"],
      /--ort-compat does not go with --recipe/,
    ],
    [
      ["quantize", mnist, "--recipe", "simplify", "--bits", "4"],
      /--bits does not go with --recipe/,
    ],
    [["simplify", mnist, "--recipe", "auto"], /auto tries and measures, which simplify does not/],
    [["simplify", mnist, "--recipe", "magic"], /no recipe "magic"/],
    [
      ["simplify", mnist, "--recipe", "simplify", "--keep-metadata"],
      /--keep-metadata does not go with --recipe/,
    ],
    [
      ["convert", mnist, "--recipe", "simplify", "--opset", "17"],
      /--opset does not go with --recipe/,
    ],
    [
      ["prune", mnist, "--recipe", "simplify", "--keep-flops", "0.5"],
      /--keep-flops does not go with --recipe/,
    ],
    [
      ["prune", mnist, "--recipe", "simplify", "--no-reconstruct"],
      /--no-reconstruct does not go with --recipe/,
    ],
    [
      ["prune", mnist, "--recipe", "simplify", "--preprocess", "imagenet"],
      /--preprocess needs --data/,
    ],
    [
      ["distill", mnist, "--recipe", "simplify", "--teacher", mnist],
      /--teacher does not go with --recipe/,
    ],
    [["simplify", mnist, "--data", "absent.npz"], /--data needs --recipe/],
    [["convert", mnist, "--opset", "17", "--preprocess", "yolo"], /--preprocess needs --recipe/],
    [["distill", "--recipe", "simplify"], /must name one file/],
    [["distill", "--student", "depth=0.5", "--recipe", "simplify"], /cuts a teacher/],
    [["convert", mnist, "--opset", "99"], /can be 7 to 21/],
    [["run", mnist], /Input "x" is not given/],
    [["bench", mnist, "--gate"], /something to compare with/],
    [["inspect", mnist, "--why"], /--why needs a bundle/],
  ])("%j: exit 2, what and what to do", async (args, message) => {
    const ended = await pare(args, { env: { PARE_CHROMIUM: "none" } }); // none needs one
    expect(ended).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(message) });
    expect(ended.stderr).toMatch(/code: {2}[A-Z_]+/);
    expect(ended.stderr).not.toMatch(/ at .*\.js:\d+/);
  });

  it("with --json is one document on stdout", async () => {
    const { code, stdout, stderr } = await installed(["inspect", "absent.onnx", "--json"]);
    expect([code, stderr]).toEqual([2, ""]);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: "MODEL_NOT_FOUND",
        message: expect.any(String),
        where: "absent.onnx",
        hint: expect.any(String),
      },
    });
  });
});

describe("what is wrong with a model", () => {
  const relu = node("Relu", ["x"], "y");
  it.each<[string, () => Promise<string>, string, RegExp]>([
    ["is absent", async () => "absent.onnx", "MODEL_NOT_FOUND", /absent\.onnx/],
    ["is a folder", async () => ".", "MODEL_NOT_FOUND", /folder/],
    ["is empty", () => write("empty.onnx", ""), "MODEL_INVALID", /empty/],
    [
      "is a picture",
      () => cp(join(images, "dog/four.png"), join(folder, "png.onnx")).then(() => "png.onnx"),
      "MODEL_",
      /./,
    ],
    [
      "is a web page",
      () => write("page.onnx", "<!doctype html><title>Not found</title>"),
      "MODEL_",
      /./,
    ],
    [
      "is a pointer of Git LFS",
      () =>
        write(
          "lfs.onnx",
          `version https://git-lfs.github.com/spec/v1\noid sha256:${"4d7a".repeat(16)}\nsize 2327524\n`,
        ),
      "MODEL_INVALID",
      /Git LFS pointer/,
    ],
    [
      "is truncated",
      async () => write("cut.onnx", (await readFile(mnist)).subarray(0, 5000)),
      "MODEL_TRUNCATED",
      /./,
    ],
    [
      "has a cycle",
      () =>
        write(
          "cycle.onnx",
          model(node("Add", ["x", "b"], "a"), node("Relu", ["a"], "b"), node("Relu", ["b"], "y")),
        ),
      "MODEL_CYCLE",
      /circle/,
    ],
    [
      "has a dangling name",
      () => write("dangling.onnx", model(node("Add", ["x", "ghost"], "y"))),
      "MODEL_NAME",
      /ghost/,
    ],
    [
      "defines a name twice",
      () => write("twice.onnx", model(relu, node("Tanh", ["x"], "y"))),
      "MODEL_NAME",
      /"?y"?/,
    ],
    [
      "has a tensor of another size",
      () =>
        write(
          "shape.onnx",
          model(node("Add", ["x", "w"], "y"), tensor("w", field(9, new Uint8Array(4)))),
        ),
      "MODEL_SHAPE",
      /w/,
    ],
    [
      "lacks its external data",
      () =>
        write(
          "external.onnx",
          model(
            node("Add", ["x", "w"], "y"),
            tensor("w", field(13, join_(field(1, "location"), field(2, "w.bin"))), field(14, 1)),
          ),
        ),
      "EXTERNAL_DATA",
      /w\.bin/,
    ],
    [
      "wants external data from elsewhere",
      () =>
        write(
          "outside.onnx",
          model(
            node("Add", ["x", "w"], "y"),
            tensor("w", field(13, join_(field(1, "location"), field(2, "../w.bin"))), field(14, 1)),
          ),
        ),
      "EXTERNAL_DATA",
      /\.\.\/w\.bin/,
    ],
  ])("that %s: exit 2, and nothing is written", async (_, make, code, message) => {
    const path = await make();
    const before = await readdir(folder);
    const ended = await pare(["simplify", path, "--json"]);
    const { error } = JSON.parse(ended.stdout);
    expect([ended.code, error.code, error.message]).toEqual([
      2,
      expect.stringContaining(code),
      expect.stringMatching(message),
    ]);
    expect(await readdir(folder)).toEqual(before);
  });

  it("an unknown operator is inspected, and named when no engine runs it", async () => {
    const path = await write("unknown.onnx", model(node("Frobnicate", ["x"], "y")));
    expect((await pare(["inspect", path])).stdout).toContain("Frobnicate");
    const ended = await pare(["optimize", path, "--target", "cpu", "--shape", "x=2"]);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining("Frobnicate") });
    expect(await readdir(folder)).not.toContain("unknown.pare");
  });
});

describe("what is wrong with data", () => {
  it.each<[string, () => Promise<readonly string[]>, string, RegExp]>([
    ["is absent", async () => ["absent.npz"], "DATA_NOT_FOUND", /absent\.npz/],
    [
      "is of no known kind",
      async () => [await write("data.csv", "1,2")],
      "DATA_INVALID",
      /no kind that can be read/,
    ],
    [
      "is a module that throws",
      async () => [await write("throws.mjs", "throw new Error('my own words')")],
      "DATA_MODULE",
      /my own words/,
    ],
    [
      "is a module that ends",
      async () => [await write("ends.mjs", "export const samples = []; process.exit(0)")],
      "DATA_MODULE",
      /ended its process/,
    ],
    [
      "does not fit",
      async () => [await write("misfit.jsonl", '{"x":[1,2,3]}')],
      "DATA_MISMATCH",
      /dims \[3\]/,
    ],
    [
      "has labels that the metric cannot take",
      async () => [
        await write(
          "labels.mjs",
          "export const samples = Array.from({ length: 20 }, (_, i) => ({ feeds: { x: new Float32Array(784).fill(i / 20) }, label: [i] }))",
        ),
        "--metric",
        "top1",
      ],
      "LABELS",
      /top1/,
    ],
    [
      "has a metric that there is not",
      async () => [
        await write("metric.jsonl", `{"x":[${Array(784).fill(0).join()}]}`),
        "--metric",
        "magic",
      ],
      "ARGUMENT",
      /no metric "magic"/,
    ],
  ])("that %s: exit 2, and nothing is written", async (_, make, code, message) => {
    const ended = await pare([
      "optimize",
      mnist,
      "--target",
      "cpu",
      "--json",
      "--data",
      ...(await make()),
    ]);
    const { error } = JSON.parse(ended.stdout);
    expect([ended.code, error.code, error.message]).toEqual([
      2,
      code,
      expect.stringMatching(message),
    ]);
    expect(await readdir(folder)).not.toContain("mnist-cnn.pare");
  });
});

describe("what is wrong with what a verb is told", () => {
  it.each<[string, () => Promise<readonly string[]>, string, RegExp]>([
    [
      "an input that is sound",
      async () => ["run", mnist, "--input", `x=${await write("said.wav", "RIFF")}`],
      "DATA_MISMATCH",
      /holds no sound/,
    ],
    [
      "an input of no known kind",
      async () => ["run", mnist, "--input", `x=${await write("x.bin", "1")}`],
      "DATA_INVALID",
      /no kind that can be fed/,
    ],
    [
      "an input that is no JSON",
      async () => ["run", mnist, "--input", `x=${await write("cut.json", "[1,")}`],
      "DATA_INVALID",
      /is not JSON/,
    ],
    [
      "a recipe that measures, for a verb that does not",
      async () => ["quantize", mnist, "--recipe", "auto"],
      "ARGUMENT",
      /auto tries and measures/,
    ],
    [
      "two locks that exclude each other",
      async () => ["optimize", mnist, "--like", "a.lock.json", "--frozen", "b.lock.json"],
      "ARGUMENT",
      /--like and --frozen exclude each other/,
    ],
  ])("is refused: %s", async (_, make, code, message) => {
    const ended = await pare([...(await make()), "--json"]);
    const { error } = JSON.parse(ended.stdout);
    expect([ended.code, error.code, error.message]).toEqual([
      2,
      code,
      expect.stringMatching(message),
    ]);
  });
});

describe("one step", () => {
  it("inspects a model", async () => {
    const { code, stdout } = await installed(["inspect", mnist, "--json", "--dim", "N=1"]);
    const facts = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(facts).toMatchObject({
      parameters: 80202,
      inputs: [{ name: "x", dims: [1, 1, 28, 28] }],
      opsets: { "ai.onnx": 17 },
    });
    expect(facts.macs).toBeGreaterThan(1e6);
    expect(facts.targets.map(({ target }: { target: string }) => target)).toEqual(
      expect.arrayContaining(["aot", "cpu", "wasm", "webgpu"]),
    );
    expect(facts.targets[0]).toMatchObject({ target: "aot", obstacles: [] });
    const { stdout: text } = await pare(["inspect", mnist]);
    expect(text).toMatch(/Conv +2/);
    expect(text).toMatch(
      /aot \(no engine\): every node\n +A run takes one sample: its batch \(N\)/,
    );
  });

  it("counts what a model multiplies, though it computes a size that is known", async () => {
    const graph = parseGraph(`graph main opset 17 (x: float32[2, 3]) -> (y) {
  %1 = Shape(x) : int64[2]
  %2 = Cast(%1) {to = 1} : float32[2]
  %3 = Sqrt(%2) : float32[2]
  %4 = Mul(%3, %3) : float32[2]
  %5 = Round(%4) : float32[2]
  %6 = Cast(%5) {to = 7} : int64[2]
  %7 = Reshape(x, %6) : float32[?1, ?2]
  %8 = MatMul(%7, const float32[3, 2] [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) : float32[?1, 2]
  return %8
}
`);
    const path = await write("sized.onnx", (await encodeModel(graph)).proto);
    const facts = JSON.parse((await pare(["inspect", path, "--json"])).stdout);
    expect(facts.macs).toBe(12);
    // Nor does an engine meet what computes it.
    for (const { obstacles } of facts.targets) expect(obstacles).toEqual([]);
  });

  it("inspects why a model does not compile: every reason at once, with the nodes", async () => {
    const draws = [node("Bernoulli", ["x"], "a"), node("Bernoulli", ["a"], "b")];
    const bytes = model(...draws, node("RandomNormalLike", ["b"], "y"));
    const path = await write("drawn.onnx", bytes);
    const { stdout } = await pare(["inspect", path]);
    expect(stdout).toContain(
      [
        "  aot (no engine): not 3 nodes",
        "    2 × Bernoulli: it is not compiled (a, b)",
        "    1 × RandomNormalLike: it is not compiled (y)",
      ].join("\n"),
    );
    const values = [open_(11, "x"), open_(12, "y")];
    const width = join_(
      field(1, 8),
      field(7, join_(node("Relu", ["x"], "y"), field(2, "g"), ...values)),
      field(8, field(2, 17)),
    );
    const { stdout: open } = await pare(["inspect", await write("open.onnx", width)]);
    expect(open).toContain(
      [
        "  aot (no engine): not as it is",
        "    1 × W: its size is not fixed, give --dim W=… (x)",
      ].join("\n"),
    );
    const drawn = await write("one.onnx", model(node("Bernoulli", ["x"], "y")));
    expect((await pare(["inspect", drawn])).stdout).toContain("aot (no engine): not 1 node\n");
  });

  it("says where it quantizes and prunes what it took pixels for", async () => {
    for (const verb of [["quantize", "--mode", "static"], ["prune"]]) {
      const { code, stderr } = await pare([...verb, mnist, "--data", images, "-o", "said.onnx"]);
      expect([code, stderr]).toEqual([0, expect.stringContaining("pixels were scaled to 0..1")]);
      expect(stderr.match(/pixels were scaled/g)).toHaveLength(1);
    }
  });

  it("simplifies, quantizes and converts, and its result runs", async () => {
    const input = await write(
      "x.json",
      JSON.stringify(Array.from({ length: 784 }, (_, at) => (at % 7) / 7)),
    );
    const run = async (path: string): Promise<readonly number[]> => {
      const { stdout } = await pare([
        "run",
        path,
        "--input",
        `x=${input}`,
        "--target",
        "cpu",
        "--json",
      ]);
      return JSON.parse(stdout).outputs.logits.data;
    };
    const expected = await run(mnist);
    for (const [args, tolerance] of [
      [["simplify"], 1e-4],
      [["convert", "--opset", "13"], 1e-4],
      [["prune", "--keep-flops", "1"], 1e-4],
      [["quantize", "--mode", "weights"], 0.5],
      [["quantize", "--mode", "weights", "--bits", "4"], 5],
      [["quantize", "--mode", "weights", "--bits", "2"], 10],
      [["quantize", "--mode", "weights", "--ort-compat"], 5],
      [["quantize", "--mode", "fp16"], 0.1],
    ] as const) {
      const output = `out/${args[0]}.onnx`;
      expect(await pare([...args, mnist, "-o", output, "--quiet"])).toMatchObject({
        code: 0,
        stderr: "",
        stdout: expect.stringContaining(output),
      });
      const got = await run(output);
      expect(
        Math.max(...got.map((each, at) => Math.abs(each - (expected[at] ?? NaN)))),
      ).toBeLessThan(tolerance);
    }
    expect((await readdir(join(folder, "out"))).toSorted()).toEqual([
      "convert.onnx",
      "prune.onnx",
      "quantize.onnx",
      "simplify.onnx",
    ]);
  });

  it("prunes to what it was told, and says what it could not prune", async () => {
    const data = fileURLToPath(new URL("../../fixtures/data/mnist.mjs", import.meta.url));
    for (const options of [[], ["--importance", "activation", "--data", data], ["--per-layer"]]) {
      const { stdout } = await pare(["prune", mnist, ...options, "-o", "less.onnx", "--json"]);
      const { work, journal } = JSON.parse(stdout);
      expect(work.after.macs).toBeLessThanOrEqual(0.6 * work.before.macs);
      expect(work.after.macs).toBeGreaterThan(0.4 * work.before.macs);
      expect(journal).toContainEqual(
        expect.objectContaining({ rule: "prune", what: "changed", op: "Conv" }),
      );
    }
    const { stdout } = await pare(["prune", mnist, "--keep-params", "0.5", "-o", "less.onnx"]);
    expect(stdout).toMatch(
      /Multiply-accumulates .* → .*; parameters 80.2 k → (3|40|2)[\d.]* k .*%\)\.\nLeft Gemm: its channels must stay: they go to an output\.\nHow right it still is was not tested: --data .*\n$/,
    );
  });

  it("refuses to prune a model that has nothing to cut", async () => {
    const bytes = model(node("Relu", ["x"], "y"));
    const { code, stderr } = await pare([
      "prune",
      await write("bare.onnx", bytes),
      "-o",
      "bare-cut.onnx",
    ]);
    expect(stderr).toMatch(/no weights that multiply: there is nothing to prune/);
    expect(code).toBe(2);
    await expect(readFile(join(folder, "bare-cut.onnx"))).rejects.toThrow("ENOENT");
  });

  it("drops what exporters wrote about nodes, unless it is asked to keep it", async () => {
    const told = join_(node("Relu", ["x"], "y").subarray(2), field(6, "File /home/someone/net.py"));
    const path = await write("told.onnx", model(field(1, told)));
    const keeps = async (...args: readonly string[]) => {
      expect(await pare([...args, path, "-o", "bare.onnx"])).toMatchObject({ code: 0 });
      return (await readFile(join(folder, "bare.onnx"))).includes("/home/someone");
    };
    expect(await keeps("simplify")).toBe(false);
    expect(await keeps("simplify", "--keep-metadata")).toBe(true);
    expect(await keeps("quantize", "--mode", "fp16")).toBe(false);
    expect(await keeps("quantize", "--mode", "fp16", "--keep-metadata")).toBe(true);
    expect(await keeps("convert", "--opset", "17")).toBe(true);
    const bundle = ["--target", "cpu", "--time-budget", "3s", "-o", "told.pare"];
    expect(await pare(["optimize", path, ...bundle])).toMatchObject({ code: 0 });
    const variants = join(folder, "told.pare/variants");
    for (const name of await readdir(variants))
      expect((await readFile(join(variants, name))).includes("/home/someone")).toBe(false);
  });

  it.each([
    ["simplify", []],
    ["convert", ["--opset", "13"]],
    ["prune", []],
    ["quantize", []],
  ])("asks the engine before it writes: %s", async (verb, options) => {
    const wrote = async (...more: readonly string[]): Promise<string> => {
      const ended = await pare([verb, mnist, ...options, "-o", "asked.onnx", ...more]);
      expect(ended.code).toBe(0);
      return ended.stdout;
    };
    expect(await wrote()).toMatch(/; runs on onnxruntime-node \d.*\.\n/);
    expect(JSON.parse(await wrote("--json")).check).toMatchObject({ status: "ran" });
    expect(await wrote("--no-check")).toMatch(/; not checked: --no-check\.\n/);
  });

  it("says that nothing was checked where there is no engine", async () => {
    const hooks = `export const resolve = (name, context, next) => { if (name === "onnxruntime-node") throw new Error("nowhere"); return next(name, context); };`;
    const absent = await write(
      "absent.mjs",
      `import { register } from "node:module"; register("data:text/javascript," + encodeURIComponent(${JSON.stringify(hooks)}));`,
    );
    const env = { NODE_OPTIONS: `--import ${pathToFileURL(join(folder, absent)).href}` };
    expect(await installed(["simplify", mnist, "-o", "unasked.onnx"], { env })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/; not checked: .*nowhere.*\.\n$/),
    });
  });

  it("stores what dynamic quantization leaves, and says what it left", async () => {
    const { stdout, stderr } = await pare(["quantize", mnist, "-o", "dynamic.onnx", "--json"]);
    const { before, after, journal } = JSON.parse(stdout);
    expect(stderr).not.toContain("quantize-weights changed nothing");
    expect(after.sizeBytes).toBeLessThan(before.sizeBytes * 0.3);
    const changed = journal.filter(({ what }: { what: string }) => what === "changed");
    expect(changed.map(({ rule, op }: Record<string, string>) => `${rule} ${op}`)).toEqual(
      expect.arrayContaining(["quantize-dynamic Gemm", "quantize-weights Conv"]),
    );
  });

  it.each([
    ["4", 0.17],
    ["2", 0.13],
  ])("stores weights of %s bits", async (bits, most) => {
    const few = ["--mode", "weights", "--bits", bits, "-o", "few.onnx", "--json"];
    const { before, after } = JSON.parse((await pare(["quantize", mnist, ...few])).stdout);
    expect(after.sizeBytes).toBeLessThan(before.sizeBytes * most);
  });

  it("says what float16 left as it was", async () => {
    const bytes = model(node("Relu", ["x"], "r"), node("Min", ["r", "x"], "y"));
    const float = await write("min.onnx", bytes);
    const { stderr } = await pare(["quantize", float, "--mode", "fp16", "-o", "half.onnx"]);
    expect(stderr).toContain(
      "fp16 left 1 of the model's nodes as they were: Min: Min stays float32.",
    );
  });

  it.each([
    ["8", 0.3],
    ["4", 0.2],
  ])("calibrates on images, with weights of %s bits", async (bits, most) => {
    const data = ["--data", images, "--preprocess", "0..1"];
    const how = ["--mode", "static", "--bits", bits, ...data, "-o", "static.onnx", "--json"];
    const { code, stdout, stderr } = await pare(["quantize", mnist, ...how]);
    expect(code).toBe(0);
    const { before, after } = JSON.parse(stdout);
    expect(after.sizeBytes).toBeLessThan(before.sizeBytes * most);
    expect(stderr).toMatch(/1 of 3 samples.*measure the result on others/);
  });

  it("calibrates on every sample where the file is to be that of the Python quantizer", async () => {
    const data = ["--data", images, "--preprocess", "0..1"];
    const how = ["--mode", "static", "--ort-compat", ...data, "-o", "static.onnx", "--json"];
    const { code, stdout, stderr } = await pare(["quantize", mnist, ...how]);
    expect(code).toBe(0);
    expect(stderr).toContain("All 3 samples calibrate: measure the result on others.");
    const { nodes } = JSON.parse((await pare(["inspect", "static.onnx", "--json"])).stdout);
    expect(nodes).toBe(JSON.parse(stdout).after.nodes);
    const text = (await readFile(join(folder, "static.onnx"))).toString("latin1");
    // The names that scripts look for.
    expect(text).toContain("x_QuantizeLinear_Output");
    expect(text).toContain("logits_DequantizeLinear");
    const recipe = await write("ort.json", JSON.stringify({ steps: ["quantize-static-ort"] }));
    const named = ["--recipe", recipe, ...data, "-o", "named.onnx"];
    const byRecipe = await pare(["quantize", mnist, ...named]);
    expect(byRecipe.stderr).toContain("All 3 samples calibrate");
    expect(await readFile(join(folder, "named.onnx"))).toEqual(
      await readFile(join(folder, "static.onnx")),
    );
  });

  it("runs a recipe's steps from YAML, and says in which line it is wrong", async () => {
    const steps = "steps:\n  - together:\n      - equalize\n      - quantize-weights\n";
    const args = (recipe: string): string[] => ["quantize", mnist, "--recipe", recipe];
    const right = args(await write("small.yaml", steps));
    const ended = await pare([...right, "-o", "small.onnx", "--json"]);
    expect(ended.code).toBe(0);
    const { journal } = JSON.parse(ended.stdout);
    expect(new Set(journal.map(({ rule }: { rule: string }) => rule))).toEqual(
      new Set(["equalize", "quantize-weights"]),
    );
    const wrong = await write("wrong.yaml", `${steps}  - use: fp16\n    with: { half: true }\n`);
    expect(await pare(args(wrong))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/wrong\.yaml, line 6: recipe\.steps\[1\]\.with\.half/),
    });
  });

  it.each([
    ["simplify", "simplified"],
    ["prune", "pruned"],
    ["distill", "distilled"],
    ["convert", "converted"],
  ])("runs a recipe's steps in place of %s's own", async (verb, suffix) => {
    const steps = [
      { use: "quantize-weights" },
      { use: "lower-opset", with: { opset: 17 }, required: true },
    ];
    const recipe = await write(`${verb}.json`, JSON.stringify({ steps }));
    const ended = await pare([verb, mnist, "--recipe", recipe, "--seed", "3", "--json"]);
    expect(ended).toMatchObject({ code: 0 });
    const { file, after, journal } = JSON.parse(ended.stdout);
    expect(file).toBe(`mnist-cnn.${suffix}.onnx`);
    expect(after.opset).toBe(17);
    expect(new Set(journal.map(({ rule }: { rule: string }) => rule))).toContain(
      "quantize-weights",
    );
    expect(await readdir(folder)).toContain(file);
  });

  it("draws the samples of a recipe's steps by --seed, the same with every verb", async () => {
    const data = fileURLToPath(new URL("../../fixtures/data/mnist.mjs", import.meta.url));
    const written = async (verb: string, seed: string): Promise<Buffer> => {
      const file = `drawn-${verb}-${seed}.onnx`;
      const args = ["--recipe", "naive-per-tensor", "--data", data, "--seed", seed, "-o", file];
      expect(await pare([verb, mnist, ...args])).toMatchObject({ code: 0 });
      return readFile(join(folder, file));
    };
    const first = await written("simplify", "3");
    expect(first.equals(await written("convert", "3"))).toBe(true);
    expect(first.equals(await written("simplify", "4"))).toBe(false);
  });

  it("writes a data module that works as it is, and does not overwrite it", async () => {
    expect(await pare(["data", mnist])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("mnist-cnn.data.mjs"),
    });
    expect(await pare(["data", mnist])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("already there"),
    });
    expect((await pare(["data", mnist, "--force"])).code).toBe(0);
    expect(await pare(["data", mnist, "-o", "my data.mjs"])).toMatchObject({
      stdout: expect.stringMatching(/then: pare optimize \S+ --data "my data\.mjs"\n$/),
    });
    const ended = await pare([
      "quantize",
      mnist,
      "--mode",
      "static",
      "--data",
      "mnist-cnn.data.mjs",
      "-o",
      "from-template.onnx",
    ]);
    expect(ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining("error") });
    expect(ended.stderr).toContain("All 100 samples are equal: was the data filled in?");
  });

  it("writes outputs as .npy", async () => {
    const input = await write("zeros.json", JSON.stringify(Array(784).fill(0)));
    await pare(["run", mnist, "--input", `x=${input}`, "--target", "cpu", "-o", "outputs"]);
    expect((await readFile(join(folder, "outputs/logits.npy"))).subarray(1, 6).toString()).toBe(
      "NUMPY",
    );
  });
});

describe("pare optimize", () => {
  const data = `
    let seed = 1;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    export const samples = Array.from({ length: 60 }, (_, id) => ({ id: String(id), feeds: { x: Float32Array.from({ length: 784 }, random) } }));`;

  it("writes a bundle that the runtime proves, and replays its lock to the same hashes", async () => {
    const module = await write("unlabelled.mjs", data);
    const first = await installed([
      "optimize",
      mnist,
      "--data",
      module,
      "--target",
      "cpu",
      "-o",
      "m.pare",
      "--json",
      "--report",
      "junit=j.xml",
      "md=m.md",
    ]);
    expect(first.code).toBe(0);
    const report = JSON.parse(first.stdout);
    expect(report.variants).toMatchObject([
      { target: "cpu", evidence: "unlabelled", accuracy: { metric: "top1-agreement" } },
    ]);
    expect(report.data).toMatchObject({ calibration: 6, validation: 12, test: 42 });
    expect(report.data.splits.test.ids).toHaveLength(42);
    const { splits } = JSON.parse(await readFile(join(folder, "m.pare/pare.lock.json"), "utf8"));
    expect(splits.test).toBe(report.data.splits.test.sha256);
    const manifest: Manifest = JSON.parse(
      await readFile(join(folder, "m.pare/manifest.json"), "utf8"),
    );
    expect(await readdir(join(folder, "m.pare"))).toEqual(
      [
        manifest.golden.path,
        "golden.json",
        "index.d.ts",
        "index.js",
        "manifest.json",
        "package.json",
        "pare.lock.json",
        "report.html",
        "report.json",
        "report.md",
        "variants",
        "web.d.ts",
        "web.js",
      ].toSorted(),
    );
    expect(await readFile(join(folder, "j.xml"), "utf8")).toContain("<testsuite");

    const frozen = await pare([
      "optimize",
      mnist,
      "--data",
      module,
      "--target",
      "cpu",
      "-o",
      "n.pare",
      "--frozen",
      "m.pare/pare.lock.json",
      "--quiet",
    ]);
    expect([frozen.code, frozen.stderr]).toEqual([0, ""]);
    expect(await readdir(join(folder, "n.pare/variants"))).toEqual(
      await readdir(join(folder, "m.pare/variants")),
    );

    const inspected = JSON.parse((await pare(["inspect", "m.pare", "--json", "--why"])).stdout);
    expect(inspected.manifest.name).toBe("mnist-cnn");
    expect(inspected.variants).toEqual([
      expect.objectContaining({
        opsets: expect.objectContaining({ "ai.onnx": expect.any(Number) }),
        operators: expect.arrayContaining([expect.objectContaining({ count: 2 })]),
        parameters: expect.any(Number),
        macs: expect.any(Number),
      }),
    ]);
    expect(inspected.steps.length).toBeGreaterThan(0);
    const input = await write("ones.json", JSON.stringify(Array(784).fill(1)));
    const ran = JSON.parse(
      (await pare(["run", "m.pare", "--input", `x=${input}`, "--target", "cpu", "--json"])).stdout,
    );
    expect(ran.selection).toMatchObject({ proven: true, target: "cpu" });
    // Of what runs here it has but one.
    expect(
      await pare(["run", "m.pare", "--input", `x=${input}`, "--target", "webgpu"]),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/browsers only\.\n.*\n.*It has cpu\./),
    });
  });

  it("tells no path of this machine in its reports", async () => {
    const cwd = join(folder, "reported");
    await mkdir(cwd);
    await cp(mnist, join(cwd, "m.onnx"));
    const html = join(cwd, "reports/r.html");
    const ended = await pare(
      [
        "optimize",
        join(cwd, "m.onnx"),
        "--target",
        "cpu",
        "--recipe",
        "simplify",
        "--report",
        `html=${html},md=r.md`,
      ],
      { cwd },
    );
    expect(ended.code).toBe(0);
    const reports = [
      "m.pare/report.json",
      "m.pare/report.html",
      "m.pare/report.md",
      "reports/r.html",
    ];
    for (const name of [...reports, "m.pare/manifest.json", "m.pare/pare.lock.json"])
      expect(await readFile(join(cwd, name), "utf8")).not.toContain(cwd);
    // Of what lies elsewhere, only the last part, and of the data too.
    const elsewhere = join(folder, "elsewhere");
    await mkdir(elsewhere);
    const outside = join(elsewhere, "x.jsonl");
    await writeFile(outside, `{"x":[${Array(784).fill(0).join()}]}\n`);
    const far = await pare(
      ["bench", mnist, "--target", "cpu", "--data", outside, "--json", "--report", "junit=j.xml"],
      { cwd },
    );
    const { data, model, command } = JSON.parse(far.stdout);
    expect([data.source, model, command]).toEqual([
      "x.jsonl",
      "mnist-cnn.onnx",
      "pare bench mnist-cnn.onnx --target cpu --data x.jsonl --json --report junit=j.xml",
    ]);
    for (const text of [far.stdout, await readFile(join(cwd, "j.xml"), "utf8")])
      expect(text).not.toMatch(/elsewhere|fixtures/);
    expect(JSON.parse(await readFile(join(cwd, "m.pare/report.json"), "utf8"))).toMatchObject({
      model: "m.onnx",
      command:
        "pare optimize m.onnx --target cpu --recipe simplify --report html=reports/r.html,md=r.md",
    });
    const benched = await pare(["bench", join(cwd, "m.onnx"), "--target", "cpu", "--json"], {
      cwd,
    });
    expect(benched.stdout).not.toContain(cwd);
    expect(JSON.parse(benched.stdout).variants[0].name).toBe("m.onnx");
  });

  it("exits with 3 when a budget is missed, and still writes the best", async () => {
    const cwd = join(folder, "budget");
    await mkdir(cwd);
    await writeFile(
      join(cwd, "pare.config.json"),
      JSON.stringify({ models: { "mnist-cnn": { targets: { cpu: { maxSize: "1kB" } } } } }),
    );
    // A report that cannot be written takes neither the result nor its exit code away.
    const report = process.platform === "linux" ? ["--report", "md=/dev/full"] : [];
    const ended = await pare(
      ["optimize", mnist, "--target", "cpu", "--recipe", "simplify", ...report],
      { cwd },
    );
    if (process.platform === "linux") expect(ended.stderr).toContain("NO_SPACE");
    expect(ended).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/missed: cpu, size: 322 kB, at most 1\.00 kB/),
    });
    expect(ended.stdout.trim().split("\n").at(-1)).toMatch(/^next: 50 images/);
    expect(await readdir(join(cwd, "mnist-cnn.pare"))).toContain("manifest.json");
  });

  it("ends with 130 at Ctrl-C, leaving nothing half-written", async () => {
    const cwd = join(folder, "stopped");
    await mkdir(cwd);
    const slow = await write(
      "slow.mjs",
      "export async function* samples() { for (;;) { await new Promise((done) => setTimeout(done, 50)); yield { feeds: { x: new Float32Array(784) } }; } }",
    );
    const ended = await installed(
      ["optimize", mnist, "--target", "cpu", "--data", join(folder, slow)],
      { cwd, interruptAt: /reading samples/ },
    );
    expect(ended).toMatchObject({ code: 130, stdout: "" });
    expect(await readdir(cwd)).toEqual([]);
  });

  it("refuses a lock of another model", async () => {
    const lock = {
      lockVersion: 2,
      compiler: "0.1.0",
      model: { sha256: "0" },
      recipe: { name: "auto", sha256: "0" },
      seed: 0,
      prefer: "latency",
      splits: {},
      shapes: {},
      constants: {},
      statistics: {},
      golden: null,
      targets: [
        {
          target: "cpu",
          engine: "onnxruntime-node 1",
          candidate: "int8",
          precision: "int8",
          groups: [],
          session: {},
          features: [],
          files: [{ name: "model.onnx", sha256: "0".repeat(64) }],
          maxDrop: 0,
          sizeBytes: { raw: 1, gzip: 1, brotli: 1 },
          accuracy: null,
          baselineAccuracy: null,
          latencyMs: { unmeasured: "no engine" },
          baselineLatencyMs: { unmeasured: "no engine" },
          memoryBytes: null,
          startupMs: null,
        },
      ],
    };
    const ended = await pare([
      "optimize",
      mnist,
      "--frozen",
      await write("other.lock.json", JSON.stringify(lock)),
    ]);
    expect(ended).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/the model changed[^]*LOCK/),
    });
  });
});

describe("pare bench", () => {
  it("compares with a commit, gates, and names what flipped", async () => {
    const cwd = join(folder, "repository");
    await mkdir(cwd);
    const git = (...args: readonly string[]) =>
      new Promise((done) =>
        spawn(
          "git",
          [
            "-c",
            "user.name=n",
            "-c",
            "user.email=e@example.com",
            "-c",
            "init.defaultBranch=main",
            ...args,
          ],
          { cwd, stdio: "ignore" },
        ).on("close", done),
      );
    await git("init");
    await cp(mnist, join(cwd, "model.onnx"));
    await git("add", ".");
    await git("commit", "-m", "good");
    const worse = await readFile(mnist);
    for (let at = 5_000; at < worse.length - 20_000; at += 400) worse[at + (3 - (at % 4))] = 0x40;
    await writeFile(join(cwd, "model.onnx"), worse);
    await git("commit", "-am", "worse");
    await writeFile(
      join(cwd, "data.mjs"),
      "let s = 1; const random = () => (s = (s * 48271) % 2147483647) / 2147483647;\nexport const samples = Array.from({ length: 60 }, (_, i) => ({ id: `digit-${i}`, feeds: { x: Float32Array.from({ length: 784 }, random) } }));",
    );
    const gate = await pare(
      [
        "bench",
        "model.onnx",
        "--base",
        "HEAD~1",
        "--data",
        "data.mjs",
        "--target",
        "cpu",
        "--gate",
        "--report",
        "md=r.md",
      ],
      { cwd, env: { GITHUB_STEP_SUMMARY: join(cwd, "summary.md") } },
    );
    expect(gate).toMatchObject({
      code: 3,
      stdout: expect.stringContaining("missed: cpu, accuracy"),
    });
    expect(await readFile(join(cwd, "r.md"), "utf8")).toMatch(/digit-\d+/);
    expect(await readFile(join(cwd, "summary.md"), "utf8")).toMatch(/digit-\d+/);
    await writeFile(
      join(cwd, "pare.config.json"),
      JSON.stringify({ models: { "model.onnx": { targets: { cpu: { maxDrop: 1 } } } } }),
    );
    const allowed = await pare(
      [
        "bench",
        "model.onnx",
        "--base",
        "HEAD~1",
        "--data",
        "data.mjs",
        "--target",
        "cpu",
        "--gate",
      ],
      { cwd },
    );
    expect(allowed.stdout).toMatch(/passed: cpu, accuracy: .* 1\.0000 is allowed/);
    const missing = await pare(["bench", "model.onnx", "--base", "nowhere", "--target", "cpu"], {
      cwd,
    });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining("MODEL_NOT_FOUND") });
  });
});

it("says with doctor what there is on this machine, and where the cache is", async () => {
  const home = join(folder, "empty-cache");
  const { code, stdout } = await pare(["doctor", "--json"], { env: { XDG_CACHE_HOME: home } });
  const { findings } = JSON.parse(stdout);
  expect(code).toBe(0);
  expect(findings.map(({ what }: { what: string }) => what)).toEqual([
    "node",
    "machine",
    "aot",
    "cpu",
    "wasm",
    "webgpu",
    "images",
    "cache",
  ]);
  if (process.platform !== "win32")
    expect(findings.at(-1)).toEqual({
      what: "cache",
      ok: true,
      found: `${join(home, "pare")}: 0 entries, 0 B of at most 2.00 GB`,
      hint: null,
    });
});

describe("a bundle", () => {
  it.each([
    ["of a newer version", JSON.stringify({ formatVersion: 99 }), "BUNDLE_VERSION"],
    ["with HTML in the place of its manifest", "<!doctype html>", "BUNDLE_INVALID"],
    ["with a damaged manifest", '{ "formatVersion": 1 }', "BUNDLE_INVALID"],
  ])("%s is refused", async (name, manifest, code) => {
    const bundle = join(folder, name.replaceAll(" ", "-"));
    await mkdir(bundle);
    await writeFile(join(bundle, "manifest.json"), manifest);
    const ended = await pare(["inspect", bundle, "--json"]);
    expect([ended.code, JSON.parse(ended.stdout).error.code]).toEqual([2, code]);
  });
});

it("follows a symbolic link to a model", async () => {
  await symlink(mnist, join(folder, "link.onnx"));
  expect((await pare(["inspect", "link.onnx", "--json"])).code).toBe(0);
});
