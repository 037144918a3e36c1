// Ctrl-C at any moment of any command: within two seconds nothing of it runs, and it left neither folders nor half a file.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { scratch } from "../shell.mjs";
import { canLook, goneAfter, leftIn, sleep, startPare } from "./support/marked-run.mjs";

const mostMs = 2_000;
const each = 12;
/** Moments are spread over a command, or over so much of its beginning. */
const longestMs = 10_000;

export async function prove({ claim, root }) {
  if (!canLook) throw new Error("Only on Linux can a proof see which processes are left.");
  const data = ["--data", "fixtures/data/ocr-recognition.mjs"];
  const large = "fixtures/.cache/minilm/model.onnx";
  const commands = [
    [
      "optimize for cpu and wasm",
      "optimize",
      "fixtures/models/ocr-recognition.onnx",
      ...data,
      "--target",
      "cpu,wasm",
    ],
    [
      "quantize with calibration",
      "quantize",
      "fixtures/models/ocr-recognition.onnx",
      ...data,
      "--mode",
      "static",
    ],
    [
      "quantize by steps of its own",
      "quantize",
      "fixtures/models/blazeface-front.onnx",
      "--mode",
      "dynamic",
    ],
    ["bench", "bench", "fixtures/models/mnist-cnn.onnx", "--target", "cpu"],
    ["simplify a stranger's file", "simplify", "fixtures/hostile/loops18.onnx"],
    ["simplify a file of many constants", "simplify", "fixtures/hostile/symb22.onnx"],
    [
      "optimize an engine's endless loop",
      "optimize",
      "fixtures/hostile/loop-forever.onnx",
      "--target",
      "cpu",
    ],
    ...(existsSync(join(root, large))
      ? [
          ["quantize the weights of 91 MB", "quantize", large, "--mode", "weights"],
          ["quantize 91 MB", "quantize", large, "--mode", "dynamic"],
          ["simplify 91 MB", "simplify", large],
          ["inspect 91 MB", "inspect", large],
        ]
      : []),
  ];
  await scratch(async (folder) => {
    for (const [index, [name, ...args]] of commands.entries()) {
      const place = join(folder, String(index));
      mkdirSync(place);
      const whole = Math.min(longestMs, await timed(root, args, place));
      let [late, slowest] = [0, 0];
      const left = [];
      for (let time = 0; time < each; time += 1) {
        const output = join(place, `out-${time}`);
        const run = startPare(root, writesNothing(args) ? args : [...args, "-o", output], {
          place,
        });
        await Promise.race([sleep((whole * (time + Math.random())) / each), run.ended]);
        run.signal("SIGINT");
        const gone = await goneAfter(run.mark, 10_000);
        slowest = Math.max(slowest, gone);
        if (gone > mostMs) late += 1;
        left.push(...leftIn(run.temporary));
        if (existsSync(output) && !args.includes("optimize"))
          left.push(...readdirSync(place).filter((one) => /pare-tmp/.test(one)));
      }
      claim(`${name}: longest until nothing runs, in ms`, {
        value: Math.round(slowest),
        bound: mostMs,
        n: each,
        met: late === 0,
      });
      claim(`${name}: folders and half files left`, {
        value: left.length,
        bound: 0,
        n: each,
        met: left.length === 0,
        ...(left.length > 0 && { note: left.slice(0, 5).join(", ") }),
      });
    }
  });
}

const writesNothing = ([verb]) => verb === "bench" || verb === "inspect";

/** One that does not end by itself is ended: its moments are then spread over that time. */
async function timed(root, args, place) {
  const start = performance.now();
  const run = startPare(root, writesNothing(args) ? args : [...args, "-o", join(place, "timed")], {
    place,
  });
  await Promise.race([run.ended, sleep(longestMs)]);
  const passed = performance.now() - start;
  run.signal("SIGKILL");
  await goneAfter(run.mark, 10_000);
  // What was killed removes nothing; the next command does, if it is not interrupted before that.
  rmSync(run.temporary, { recursive: true });
  return passed;
}
