// Alone, pruning loses too much and training gains nothing: `optimize` turns both down. Together they are taken.
import {
  answersOf,
  applyGroup,
  claim,
  cpu,
  digits,
  done,
  examplesOf,
  importModel,
  mnist,
  optimize,
  passes,
  rewriteSchema,
  rightOf,
  sourceOf,
} from "../../capability-run.mjs";

await rewriteSchema();
const prune = { use: "prune-channels", with: { keep: 0.5 } };
const train = { use: "distill", with: { epochs: 30, rate: 0.002 } };
const graph = await importModel(sourceOf(mnist));
const group = (...steps) => ({ steps, required: false });
const pruned = await applyGroup(graph, group({ use: "simplify" }, prune), {}, passes);
const some = await examplesOf(digits, "validation", 200);
const alone = await rightOf(pruned.graph, some);
claim("right with half of the channels of both convolutions, and no training", {
  value: alone,
  bound: 0.92,
  n: some.count,
  met: alone < 0.92,
  note: pruned.journal
    .filter(({ rule }) => rule === "prune-channels")
    .map(({ op, reason }) => `${op}: ${reason}`)
    .join("; "),
});

const options = ["--data", digits, "--target", "cpu", "--max-drop", "0.06", "--prefer", "size"];
const said = ({ report }) =>
  report.steps.map(({ name, verdict, reason }) => `${name} ${verdict}: ${reason}`).join("; ");
const apart = await optimize("apart", { steps: ["simplify", prune, train] }, mnist, options);
const taken = apart.report.steps.filter(
  ({ name, verdict }) => name.includes("prune-channels") && verdict === "kept",
);
claim("times that pruning is kept where each step is judged by itself", {
  value: taken.length,
  bound: 0,
  met: taken.length === 0 && apart.report.steps.some(({ name }) => name.includes("prune-channels")),
  note: said(apart),
});
const recipe = { steps: ["simplify", { name: "pruned", together: [prune, train] }] };
const both = await optimize("together", recipe, mnist, options);
const bytes = ({ variant }) => variant.files.reduce((sum, file) => sum + file.bytes, 0);
const smaller = bytes(both) / bytes(apart);
claim("bytes of the bundle's model over those without the group", {
  value: smaller,
  bound: 0.6,
  met: smaller <= 0.6,
  note: said(both),
});
const { accuracy } = both.variant;
claim("drop on the test split, of what was allowed", {
  value: accuracy.drop,
  bound: 0.06,
  n: accuracy.n,
  met: accuracy.drop <= 0.06,
});
const right = await answersOf(both.bundle, cpu(), await examplesOf(digits, "test", 500));
claim("right on test digits, from the bundle", {
  value: right,
  bound: 0.9,
  n: 500,
  met: right >= 0.9,
});
done();
