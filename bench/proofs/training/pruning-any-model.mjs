// `pare prune --keep-flops 0.6` on every float model there is, trained or not: it loads, computes no more than 0.62 of what
// it computed, and gives what the model gives when the same channels are zeroed. How much of each model's work pruning can
// reach, and why not the rest, is written to docs/measured/training/pruning-any-model.md.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openHosts } from "../../../bench/dist/index.js";
import {
  channelGroups,
  countNominalMacs,
  countParameters,
  decodeModel,
  encodeModel,
  findPass,
  inferNode,
  maskChannels,
  planPruning,
  prunableWork,
} from "../../../compiler/dist/index.js";
import { byteSource } from "../../../runtime/dist/format/index.js";
import { beforeJumps } from "../before-jumps.mjs";
import { knownModels } from "../known-models.mjs";
import { compareOutputs } from "../same-outputs.mjs";
import { pare, scratch } from "../shell.mjs";

const keep = 0.6;
const most = 0.62;
/** Of the largest number in an output: sums over fewer channels round otherwise than sums with zeros. */
const tolerance = 2e-4;
/** Of all models' work together. */
const leastReached = 0.8;

export async function prove({ claim, inform, root }) {
  const rows = [];
  const skipped = [];
  await scratch(async (folder) => {
    const { models, missing } = await knownModels(root, folder);
    const { hosts, dispose } = await openHosts(["cpu"]);
    try {
      const host = hosts.get("cpu");
      if (host === undefined) throw new Error("onnxruntime-node does not run here");
      for (const [index, { name, path }] of models.entries()) {
        const given = await read(path);
        const why = await unfit(given);
        if (why !== null) skipped.push(`${name}: ${why}`);
        else rows.push(await pruned(name, path, given, join(folder, `${index}.onnx`), host));
      }
    } finally {
      await dispose();
    }
    inform("sources that cannot be had here", {
      value: missing.length,
      ...(missing.length > 0 && { note: missing.join("; ") }),
    });
  });
  inform("models whose work cannot be counted", {
    value: skipped.length,
    ...(skipped.length > 0 && { note: skipped.join("; ") }),
  });
  const convolutional = rows.filter(({ isConvolutional }) => isConvolutional);
  claim("models with convolutions", {
    value: convolutional.length,
    bound: ">= 8",
    met: convolutional.length >= 8,
  });
  for (const [what, some] of [
    ["models with convolutions", convolutional],
    ["all models", rows],
  ]) {
    // Each model counts alike: one large detector has more work than all others.
    const shares = some.map(({ work }) => work.reached / work.all);
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const all = sum(some, ({ work }) => work.reached) / sum(some, ({ work }) => work.all);
    const value = Math.min(mean, all);
    claim(`share of the work that pruning reaches, of ${what}`, {
      value,
      bound: `>= ${leastReached}`,
      n: some.length,
      met: value >= leastReached,
      note: `${percent(all)} of all work together, ${percent(mean)} as the mean of the models; the least ${percent(Math.min(...shares))}`,
    });
  }
  const measured = join(root, "docs/measured/training");
  mkdirSync(measured, { recursive: true });
  writeFileSync(join(measured, "pruning-any-model.md"), page(rows, skipped));

  /** What cannot be pruned so far says how far it can be. */
  async function refused(row, path, out) {
    const args = ["prune", path, "--keep-flops", String(keep), "--quiet", "-o", out];
    const { code, stderr } = await pare(root, args);
    const share = (row.work.least / row.work.macs).toFixed(3);
    claim(`${row.name}: pare prune is refused, and says how far it can go`, {
      value: stderr.trim().slice(-400),
      bound: `it still has ${share}`,
      met: code === 2 && stderr.includes(`it still has ${Number(share)}`),
    });
    return row;
  }

  /** Prunes one model by the command line, and holds it to what is counted and to what is masked. */
  async function pruned(name, path, given, out, host) {
    const masked = given.fork();
    const simplify = findPass("simplify");
    await simplify.create(simplify.parse()).run(masked, {});
    const { groups, blocked } = channelGroups(masked);
    const work = prunableWork(masked, groups);
    const row = { name, work, rest: reasons(work, blocked), groups: groups.length };
    const ops = new Set([...masked.allNodes()].map(({ op }) => op));
    row.isConvolutional = ops.has("Conv") && !ops.has("LSTM");
    if (work.least > keep * work.macs) return refused(row, path, out);
    const { code, stderr } = await pare(root, [
      "prune",
      path,
      "--keep-flops",
      String(keep),
      "--quiet",
      "-o",
      out,
    ]);
    claim(`${name}: pare prune exits with`, {
      value: code,
      bound: 0,
      met: code === 0,
      ...(code !== 0 && { note: stderr.slice(-300) }),
    });
    if (code !== 0) return row;
    const made = await read(out);
    row.macs = [work.macs, countNominalMacs(made)];
    row.parameters = [countParameters(given), countParameters(made)];
    const share = row.macs[1] / row.macs[0];
    claim(`${name}: multiply-accumulates, of the original's`, {
      value: share,
      bound: `<= ${most}`,
      met: share <= most,
      note: `${row.macs[0]} before, ${row.macs[1]} after; parameters ${row.parameters[0]} before, ${row.parameters[1]} after`,
    });
    const plan = await planPruning(masked, {
      keep,
      where: "keepFlops",
      measure: "macs",
      scope: "global",
      multiple: findPass("prune").parse().multiple,
      importance: "magnitude",
    });
    maskChannels(masked, plan.axes, plan.cuts);
    const jumps = beforeJumps(masked);
    beforeJumps(made);
    const [reference, file] = [await encodeModel(masked), await encodeModel(made)];
    const { worst, runs, elements } = await compareOutputs(host, reference.proto, file.proto);
    claim(`${name}: outputs on onnxruntime against the same channels zeroed, of the largest`, {
      value: worst,
      bound: `<= ${tolerance}`,
      n: runs,
      met: worst <= tolerance && elements > 0 && plan.cuts.length > 0,
      note: `${elements} numbers; channels cut in ${plan.cuts.length} of ${groups.length} groups${jumps === 0 ? "" : `; compared before ${jumps} Equal, which jumps`}`,
    });
    return row;
  }
}

async function read(path) {
  const proto = byteSource(new Uint8Array(readFileSync(path)));
  return decodeModel({ proto, external: new Map() }, { infer: inferNode });
}

/** Why a model is not pruned by its work; null where it is. */
async function unfit(given) {
  const graph = given.fork();
  try {
    const simplify = findPass("simplify");
    await simplify.create(simplify.parse()).run(graph, {});
    return countNominalMacs(graph) > 0 ? null : "it multiplies nothing";
  } catch (error) {
    return error.message;
  }
}

/** The work that pruning does not reach, by why. */
function reasons({ all, others }, blocked) {
  const why = new Map(blocked.map(({ node, reason }) => [node, reason.why]));
  const shares = new Map();
  for (const { node, macs: own } of others) {
    const said = why.get(node) ?? "its operands are no constants, and their channels stay";
    shares.set(said, (shares.get(said) ?? 0) + own / all);
  }
  return [...shares].sort(([, a], [, b]) => b - a);
}

function sum(rows, of) {
  return rows.reduce((total, row) => total + of(row), 0);
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

function millions(count) {
  return (count / 1e6).toPrecision(3);
}

function page(rows, skipped) {
  const lines = rows.map(({ name, work, rest, groups, macs, parameters }) => {
    const left = (counts) => (counts === undefined ? "refused" : percent(counts[1] / counts[0]));
    const why = rest.map(([said, share]) => `${percent(share)}: ${said}`).join("; ");
    return `| ${name} | ${millions(work.macs)} | ${groups} | ${percent(work.reached / work.all)} | ${percent(work.least / work.macs)} | ${left(macs)} | ${left(parameters)} | ${why || "—"} |`;
  });
  return [
    "# What of a model can be pruned",
    "",
    "`npm run prove -- training/pruning-any-model` writes this page. MACs are counted of one run in millions, a batch as one and any other",
    "free size as 64. Reached is the work of the nodes that do less when channels go; the least is what is left with one",
    "channel, neuron or head of each group. MACs and parameters left are those of `pare prune --keep-flops 0.6`. Nothing was",
    "trained after: what this costs in accuracy is another question.",
    "",
    "| model | MACs | groups | reached | least | MACs left | parameters left | not reached, and why |",
    "| --- | --: | --: | --: | --: | --: | --: | --- |",
    ...lines,
    "",
    ...(skipped.length === 0
      ? []
      : ["Not pruned by their work:", "", ...skipped.map((one) => `- ${one}`), ""]),
  ].join("\n");
}
