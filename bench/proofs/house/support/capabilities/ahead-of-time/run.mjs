// A target without an engine: planned, measured, chosen, locked, bundled, loaded and replayed as any other.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  answersOf,
  claim,
  digits,
  done,
  examplesOf,
  mnist,
  optimize,
  rewriteSchema,
  root,
  work,
} from "../../capability-run.mjs";
import { json, manifestOf, pare } from "../../../../shell.mjs";

await rewriteSchema();
const { aot } = await import(`${root}runtime/dist/backends/aot.js`);
const options = ["--data", digits, "--target", "aot,cpu", "--dim", "N=1"];
const recipe = { steps: ["simplify"] };
const { bundle, variant, report, lock } = await optimize("module", recipe, mnist, options);
const { latencyMs, accuracy } = variant;
claim("the artifact's format, and the target that it is for", {
  value: `${variant.format}, ${variant.target}`,
  bound: "wasm, aot",
  met: variant.format === "wasm" && variant.target === "aot",
});
const timed = !("unmeasured" in latencyMs);
claim("runs that were timed of the module", {
  value: timed ? latencyMs.n : 0,
  bound: 1,
  met: timed && latencyMs.n >= 1,
  note: timed
    ? `${latencyMs.p50.toPrecision(3)} ms; ${report.steps.length} steps in the report`
    : "",
});
claim("accuracy on the test split, of the module", {
  value: accuracy?.value ?? 0,
  bound: 0.97,
  n: accuracy?.n ?? 0,
  met: (accuracy?.value ?? 0) >= 0.97,
});
const right = await answersOf(bundle, aot(), await examplesOf(digits, "test", 200));
claim("right on test digits, loaded from the bundle without onnxruntime", {
  value: right,
  bound: 0.97,
  n: 200,
  met: right >= 0.97,
});
const again = join(work, "again.pare");
const args = [mnist, "--dim", "N=1", "--frozen", lock, "-o", again];
const { code, stderr } = await pare(root, ["optimize", ...args]);
const same = code === 0 && manifestOf(again).identity === manifestOf(bundle).identity;
claim("the lock alone gives the same module again", {
  value: same,
  bound: true,
  met: same && json(lock).targets.some(({ target }) => target === "aot"),
  note: code === 0 ? undefined : stderr.slice(-300),
});
const [file] = variant.files;
claim("WebAssembly takes the file", {
  value: WebAssembly.validate(readFileSync(join(bundle, file.path))),
  bound: true,
  met: WebAssembly.validate(readFileSync(join(bundle, file.path))),
  note: `${file.bytes} bytes`,
});
done();
