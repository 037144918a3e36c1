// kill −9 at any moment of `optimize`: the old bundle or the new one is there and loads, no process lives on, and after
// the next run no folder is left.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { scratch } from "../shell.mjs";
import { loads } from "./support/loads.mjs";
import { canLook, goneAfter, leftIn, sleep, startPare } from "./support/marked-run.mjs";

const kills = 500;
/** And so many where a browser runs. */
const browserKills = 40;
const workers = 2;
/** Whoever looks for its parent does it twice a second. */
const outliveMs = 2_000;

const common = ["--data", "fixtures/data/mnist.mjs", "--time-budget", "5s"];

export async function prove({ claim, root }) {
  if (!canLook) throw new Error("Only on Linux can a proof see which processes are left.");
  await scratch(async (folder) => {
    for (const [target, count] of [
      ["cpu", kills],
      ["wasm", browserKills],
    ]) {
      const { broken, outlived, slowest, none, left, refused, during } = await killMany(
        root,
        join(folder, target),
        target,
        count,
      );
      const spread = [...during].map(([phase, n]) => `${n} ${phase}`).join(", ");
      claim(`${target}: kills after which the bundle does not load`, {
        value: broken,
        bound: 0,
        n: count,
        met: broken === 0,
        note: `${none} came before there was a first bundle; ${spread}`,
      });
      claim(`${target}: kills after which a process lived for more than ${outliveMs / 1000} s`, {
        value: outlived,
        bound: 0,
        n: count,
        met: outlived === 0,
        note: `the slowest was gone after ${Math.round(slowest)} ms`,
      });
      claim(`${target}: folders and half-written files after the next run`, {
        value: left.length,
        bound: 0,
        n: workers,
        met: left.length === 0,
        ...(left.length > 0 && { note: left.slice(0, 5).join(", ") }),
      });
      claim(`${target}: next runs that did not go through`, {
        value: refused,
        bound: 0,
        n: workers,
        met: refused === 0,
      });
    }
  });
}

async function killMany(root, folder, target, count) {
  const total = {
    broken: 0,
    outlived: 0,
    slowest: 0,
    none: 0,
    left: [],
    refused: 0,
    during: new Map(),
  };
  let next = 0;
  const work = async (_, worker) => {
    const place = join(folder, String(worker));
    const bundle = join(place, "mnist.pare");
    const args = ["optimize", "fixtures/models/mnist-cnn.onnx", "--target", target, ...common];
    // How long it takes beside the other worker: moments are spread over all of it, one in each of `count` equal parts.
    const whole = await timed(root, args, place);
    while (next < count) {
      const moment = (whole * (next++ + Math.random())) / count;
      const run = startPare(root, [...args, "-o", bundle], { place });
      const before = existsSync(join(bundle, "manifest.json"));
      await Promise.race([sleep(moment), run.ended]);
      run.child.kill("SIGKILL");
      await run.ended;
      const phase = phaseOf(run.said().stderr);
      total.during.set(phase, (total.during.get(phase) ?? 0) + 1);
      const gone = await goneAfter(run.mark, outliveMs);
      if (gone === Infinity) total.outlived += 1;
      else total.slowest = Math.max(total.slowest, gone);
      if (existsSync(join(bundle, "manifest.json"))) {
        if (!(await isWhole(bundle, target))) total.broken += 1;
      } else if (before) total.broken += 1;
      else total.none += 1;
    }
    const last = startPare(root, [...args, "-o", bundle], { place });
    if ((await last.ended) !== 0 || !(await isWhole(bundle, target))) total.refused += 1;
    await goneAfter(last.mark, outliveMs);
    total.left.push(
      ...leftIn(last.temporary),
      ...readdirSync(bundle, { recursive: true }).filter((name) =>
        /pare-tmp|lock-|\.writing/.test(name),
      ),
    );
  };
  await Promise.all(Array.from({ length: workers }, work));
  return total;
}

async function timed(root, args, place) {
  const start = performance.now();
  const run = startPare(root, [...args, "-o", join(place, "timed.pare")], { place });
  if ((await run.ended) !== 0) throw new Error(run.said().stderr.slice(-400));
  return performance.now() - start;
}

/** What it said last, before it was killed. */
function phaseOf(stderr) {
  const last = stderr.trim().split("\n").at(-1) ?? "";
  if (last === "") return "before it said anything";
  if (/reading samples/.test(last)) return "reading samples";
  return /^Plan|%/.test(last) ? "in the search" : "at other times";
}

/** The native engine proves none that is for a browser: of these it is asked whether they are there. */
const isWhole = (bundle, target) =>
  target === "cpu" ? loads(bundle) : existsSync(join(bundle, "manifest.json"));
