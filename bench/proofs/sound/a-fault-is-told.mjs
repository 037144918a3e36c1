// Engines that hang or crash, two writers, a full disk, no descriptors, an output that cannot be written: each costs what it
// must and no more, and is told by a code and a sentence.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { reportOf, scratch } from "../shell.mjs";
import { loads } from "./support/loads.mjs";
import { canLook, goneAfter, markedProcesses, sleep, startPare } from "./support/marked-run.mjs";

const mnist = "fixtures/models/mnist-cnn.onnx";
const faults = 12;
const budgetMs = 10_000;
/** When the time is up, an engine may still take five seconds for one answer; then the bundle is written. */
const overMs = 7_000;

export async function prove({ claim, inform, root }) {
  if (!canLook) throw new Error("Only on Linux can a proof stop an engine.");
  await scratch(async (folder) => {
    await engineFaults(claim, root, folder);
    await endlessLoop(claim, root, folder);
    await twoWriters(claim, root, folder);
    await fullDisk(claim, inform, root, folder);
    await fewDescriptors(claim, root, folder);
    await noOutput(claim, root);
  });
}

/** An engine's process is killed, or stopped so that it never answers, at moments spread over the search. */
async function engineFaults(claim, root, folder) {
  for (const [name, signal] of [
    ["crashes", "SIGKILL"],
    ["hangs", "SIGSTOP"],
  ]) {
    let [early, without, late, lost, untold] = [0, 0, 0, 0, 0];
    let slowest = 0;
    for (let time = 0; time < faults; time += 1) {
      const place = join(folder, `${name}-${time}`);
      const bundle = join(place, "mnist.pare");
      const start = performance.now();
      const run = startPare(
        root,
        [
          "optimize",
          mnist,
          "--data",
          "fixtures/data/mnist.mjs",
          "--target",
          "cpu",
          "--time-budget",
          `${budgetMs / 1000}s`,
          "-o",
          bundle,
        ],
        { place },
      );
      // Not before there is an engine with something to lose; the search ends some time before the budget.
      await sleep(1_000 + ((budgetMs - 4_000) * (time + Math.random())) / faults);
      const engine = markedProcesses(run.mark).find(({ command }) =>
        /node-child\.js/.test(command),
      );
      const isEarly = !run.said().stderr.includes("Plan:");
      if (engine !== undefined) process.kill(engine.pid, signal);
      await Promise.race([run.ended, sleep(3 * budgetMs)]);
      const seconds = performance.now() - start;
      slowest = Math.max(slowest, seconds);
      if (run.child.exitCode === null) run.child.kill("SIGKILL");
      if (seconds > budgetMs + overMs) late += 1;
      await goneAfter(run.mark, 5_000);
      const hasBundle = run.child.exitCode === 0 && (await loads(bundle));
      // Before the float model has answered there is nothing to go on with: that is told.
      if (isEarly) {
        early += 1;
        if (!hasBundle && [null, "INTERNAL"].includes(codeIn(run.said().stderr))) untold += 1;
      } else if (!hasBundle) without += 1;
      if (hasBundle && JSON.stringify(reportOf(bundle)).includes("engine refuses it")) lost += 1;
    }
    claim(`an engine ${name} in the search: runs without a bundle that loads`, {
      value: without,
      bound: 0,
      n: faults - early,
      met: without === 0,
      note: `${lost} lost a candidate, the others went on with another engine`,
    });
    claim(`an engine ${name} before there is a plan: runs that end without a bundle or a code`, {
      value: untold,
      bound: 0,
      n: early,
      met: untold === 0,
    });
    claim(`an engine ${name}: longest run in s, of a budget of ${budgetMs / 1000}`, {
      value: Math.round(slowest / 100) / 10,
      bound: (budgetMs + overMs) / 1000,
      n: faults,
      met: late === 0,
    });
  }
}

async function endlessLoop(claim, root, folder) {
  const place = join(folder, "endless");
  mkdirSync(place);
  const start = performance.now();
  const run = startPare(
    root,
    [
      "optimize",
      "fixtures/hostile/loop-forever.onnx",
      "--target",
      "cpu",
      "--time-budget",
      "3s",
      "-o",
      join(place, "out"),
    ],
    { place },
  );
  await Promise.race([run.ended, sleep(45_000)]);
  const seconds = (performance.now() - start) / 1000;
  if (run.child.exitCode === null) run.child.kill("SIGKILL");
  const gone = await goneAfter(run.mark, 2_000);
  claim("a model that never ends, with a budget of 3 s: seconds", {
    value: Math.round(seconds * 10) / 10,
    bound: 3 + overMs / 1000,
    met: seconds <= 3 + overMs / 1000 && gone !== Infinity,
    note: run.said().stderr.trim().split("\n").at(-1) ?? "",
  });
}

async function twoWriters(claim, root, folder) {
  const place = join(folder, "writers");
  const bundle = join(place, "mnist.pare");
  const args = ["optimize", mnist, "--target", "cpu", "--time-budget", "5s", "-o", bundle];
  const one = startPare(root, args, { place });
  await sleep(700);
  const two = startPare(root, args, { place });
  const codes = await Promise.all([one.ended, two.ended]);
  const said = two.said().stderr + one.said().stderr;
  const named = new RegExp(`Process (${one.child.pid}|${two.child.pid})`).test(said);
  claim("of two writers of one bundle one is refused, and told who writes", {
    value: codes.join(" and "),
    bound: "0 and an error BUSY",
    n: 2,
    met:
      codes.filter((code) => code === 0).length === 1 &&
      /BUSY/.test(said) &&
      named &&
      (await loads(bundle)),
  });
}

/** In a file system of a few kilobytes of its own; where none can be made, the rows are missing and say so. */
async function fullDisk(claim, inform, root, folder) {
  const mount = join(folder, "small");
  mkdirSync(mount);
  const inSmall = (script) =>
    spawnSync(
      "unshare",
      ["-rm", "sh", "-c", `mount -t tmpfs -o size=600k tmpfs ${mount} && cd ${root} && ${script}`],
      { encoding: "utf8", timeout: 120_000, env: { ...process.env, TMPDIR: folder } },
    );
  if (inSmall("true").status !== 0) {
    inform("a full disk", { value: "not shown: no file system can be made here" });
    return;
  }
  const pare = `${process.execPath} ${join(root, "cli/bin/pare.js")}`;
  const listing = `; code=$?; ls -A ${mount}; exit $code`;
  const model = inSmall(
    `${pare} simplify fixtures/models/ocr-recognition.onnx -o ${mount}/out.onnx${listing}`,
  );
  claim("a model onto a full disk: code, and nothing half-written", {
    value: `${codeIn(model.stderr)}, ${model.stdout.trim() || "nothing there"}`,
    bound: "NO_SPACE, nothing there",
    met: codeIn(model.stderr) === "NO_SPACE" && model.stdout.trim() === "" && model.status !== 0,
  });
  const bundle = inSmall(
    `${pare} optimize fixtures/models/ocr-recognition.onnx --target cpu --time-budget 6s -o ${mount}/out.pare >&2${listing}`,
  );
  claim("a bundle onto a full disk: code", {
    value: codeIn(bundle.stderr),
    bound: "NO_SPACE",
    met: codeIn(bundle.stderr) === "NO_SPACE" && bundle.status !== 0,
  });
  const samples = inSmall(
    `TMPDIR=${mount} ${pare} quantize fixtures/models/ocr-recognition.onnx --data fixtures/data/ocr-recognition.mjs --mode static -o ${join(folder, "q.onnx")} >&2${listing}`,
  );
  claim("samples onto a full disk: code, and nothing half-written", {
    value: codeIn(samples.stderr),
    bound: "NO_SPACE",
    met: codeIn(samples.stderr) === "NO_SPACE" && !existsSync(join(folder, "q.onnx")),
  });
}

async function fewDescriptors(claim, root, folder) {
  const worst = [];
  let failed = 0;
  for (const most of [24, 28, 32, 40, 60, 100, 200]) {
    const { status, stderr } = spawnSync(
      "sh",
      [
        "-c",
        `ulimit -n ${most}; exec "$0" cli/bin/pare.js optimize ${mnist} --target cpu --time-budget 5s -o "$1"`,
        process.execPath,
        join(folder, `few-${most}`),
      ],
      { cwd: root, encoding: "utf8", timeout: 60_000 },
    );
    if (status === 0) continue;
    failed += 1;
    if (codeIn(stderr) === null || codeIn(stderr) === "INTERNAL")
      worst.push(`${most}: ${stderr.trim().split("\n").at(-1)}`);
  }
  claim("too few file descriptors: runs that end without a code of Pare's", {
    value: worst.length,
    bound: 0,
    n: 7,
    met: worst.length === 0,
    note: `${failed} of 7 ended so${worst.length > 0 ? `: ${worst[0]}` : ""}`,
  });
}

async function noOutput(claim, root) {
  const { status, stderr } = spawnSync(
    "sh",
    ["-c", `exec "$0" cli/bin/pare.js inspect ${mnist} > /dev/full`, process.execPath],
    { cwd: root, encoding: "utf8" },
  );
  claim("a result that cannot be written: exit code and code", {
    value: `${status}, ${codeIn(stderr)}`,
    bound: "not 0, NO_SPACE",
    met: status !== 0 && codeIn(stderr) === "NO_SPACE",
  });
}

const codeIn = (stderr) => /^ {2}code: {2}(\w+)$/m.exec(stderr)?.[1] ?? null;
