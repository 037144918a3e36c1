import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pare, run, scratch } from "../shell.mjs";

const rounds = 20;

export async function prove({ claim, root }) {
  await scratch(async (folder) => {
    const git = (...args) =>
      run("git", ["-c", "user.name=proof", "-c", "user.email=proof@example.invalid", ...args], {
        cwd: folder,
      });
    const model = join(folder, "model.onnx");
    copyFileSync(join(root, "fixtures/models/mnist-cnn.onnx"), model);
    const npz = await run(process.execPath, [
      join(root, "bench/proofs/line/support/write-test-npz.mjs"),
      join(folder, "test.npz"),
    ]);
    claim("test.npz is written", {
      value: npz.code,
      bound: 0,
      met: npz.code === 0,
      note: npz.stderr.slice(-200) || undefined,
    });
    await git("init", "-q");
    await git("add", "model.onnx");
    await git("commit", "-qm", "The model");

    const args = [
      "bench",
      "model.onnx",
      "--base",
      "HEAD~1",
      "--data",
      "test.npz",
      "--target",
      "cpu",
      "--gate",
      "--report",
      "md=gate.md",
      "junit=gate.xml",
    ];
    const damage = await run(process.execPath, [
      join(root, "bench/proofs/line/support/damage-model.mjs"),
      model,
    ]);
    claim("the model is changed for the worse", {
      value: damage.code,
      bound: 0,
      met: damage.code === 0,
      note: damage.stderr.slice(-200) || undefined,
    });
    await git("commit", "-qam", "Change the model");
    const worse = await pare(root, args, { cwd: folder });
    claim("a worse model: exits with", {
      value: worse.code,
      bound: 3,
      met: worse.code === 3,
      note: worse.code === 3 ? undefined : worse.stderr.slice(-300),
    });
    const markdown = readFileSync(join(folder, "gate.md"), "utf8");
    const named = /Flipped samples[\s\S]*?on cpu, (\d+) of \d+: ([\w-]+(?:, [\w-]+)*)/.exec(
      markdown,
    );
    const flipped = named === null ? 0 : named[2].split(", ").length;
    claim("a worse model: the Markdown names flipped samples", {
      value: flipped,
      bound: "> 0",
      n: Number(named?.[1] ?? 0),
      met: flipped > 0,
    });
    claim("a worse model: JUnit has a failure", {
      value: /<failure/.test(readFileSync(join(folder, "gate.xml"), "utf8")),
      bound: true,
      met: /<failure/.test(readFileSync(join(folder, "gate.xml"), "utf8")),
    });

    copyFileSync(join(root, "fixtures/models/mnist-cnn.onnx"), model);
    await git("commit", "-qam", "The model again");
    await git("commit", "-q", "--allow-empty", "-m", "Something else");
    let passed = 0;
    for (let round = 0; round < rounds; round += 1) {
      const same = await pare(root, args, { cwd: folder });
      if (same.code === 0) passed += 1;
      else console.error(same.stdout.slice(-500), same.stderr.slice(-500));
    }
    claim("the same model passes", {
      value: passed,
      bound: rounds,
      n: rounds,
      met: passed === rounds,
    });
  });
}
