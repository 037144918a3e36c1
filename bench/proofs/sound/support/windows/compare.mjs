// A window as the engine runs it, as Pare writes it, as passes change it, and as the module that it becomes: the same numbers.
import { InferenceSession, Tensor } from "onnxruntime-node";
import { MeasuredActivations } from "../../../../../compiler/dist/calibrate/measured-activations.js";
import {
  cutChannels,
  encodeModel,
  findPass,
  findTarget,
  importModel,
  maskChannels,
  planPruning,
} from "../../../../../compiler/dist/index.js";
import { cpu } from "../../../../../runtime/dist/backends/ort-node.js";
import { aot } from "../../../../../runtime/dist/backends/aot.js";
import { byteSource } from "../../../../../runtime/dist/format/index.js";
import { closeTo, differing } from "./differing.mjs";
import { feedsOf } from "./feeds.mjs";

/**
 * What a simplified model may become, and how far that may be from it. How far roundings take what divides by a difference,
 * nobody can say: beyond `noise` it is looked at, and is no fault by itself.
 */
const conversions = [
  ["lower-opset", { to: 13 }, { apart: closeTo }],
  ["convolve-repeats", {}, { apart: closeTo }],
  ["equalize", {}, { apart: closeTo }],
  ["fp16-weights", {}, { noise: 0.1 }],
  ["fp16", {}, { noise: 0.2 }],
  ["quantize-weights", {}, { noise: 0.8 }],
  ["quantize-dynamic", {}, { noise: 0.8 }],
  ["quantize-static", {}, { noise: 0.8 }],
];
/** In place of a conversion, now and then: what is pruned gives what it gives with the same channels zeroed. */
const pruning = { keep: 0.6, where: "keepFlops", measure: "macs", scope: "global", multiple: 1, importance: "magnitude" }; // prettier-ignore

/**
 * @param model messages; `bytes` the same as a file
 * @param number draws its inputs, and one of the conversions
 * @param onRun called when the engine has run it as it is
 * @returns `outcome`, and `what` in words: "skipped" (the engine does not run it), "refused" (by Pare, with `code`), "same"
 * (and whether it was `compiled`), "undone" (the same, and a rule was undone), or what is wrong
 */
export async function compareWindow(model, bytes, number, onRun) {
  const runs = await runsOf(model, bytes, number);
  if (typeof runs === "string") return { outcome: "skipped", what: runs };
  onRun();
  const graph = await simplified(bytes);
  if ("outcome" in graph) return graph;
  const wrong =
    (await compareFile(model, runs, (await encodeModel(graph)).proto, "simplify", {
      apart: closeTo,
    })) ??
    (await compareChanged(model, graph, runs, number % (conversions.length + 1))) ??
    (await compareModule(model, graph, runs));
  // In answers of some kernels is memory that nobody wrote, where sizes do not fit: they need not agree with themselves.
  if (/different|far$/.test(wrong?.outcome) && !(await isSteady(model, bytes, runs)))
    return { outcome: "skipped", what: "its answers differ from one run to the next" };
  if (wrong !== null && wrong.outcome !== "compiled") return wrong;
  const undone = graph.journal.find(({ what, reason }) => what === "left" && / would change /.test(reason)); // prettier-ignore
  if (undone !== undefined) return { outcome: "undone", what: `${undone.op}: ${undone.reason}` };
  return { outcome: "same", compiled: wrong !== null };
}

const open = (bytes, graphOptimizationLevel = "disabled") =>
  InferenceSession.create(bytes, {
    graphOptimizationLevel,
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  });

async function run(session, feeds) {
  const tensors = Object.entries(feeds).map(([name, { type, dims, data }]) => [
    name,
    new Tensor(type, data, dims),
  ]);
  return session.run(Object.fromEntries(tensors));
}

/** What the engine gives for it as it is, or why it gives nothing. */
async function runsOf(model, bytes, number) {
  const runs = [];
  let session;
  try {
    session = await open(bytes);
    for (const salt of [2 * number, 2 * number + 1]) {
      const feeds = feedsOf(model, salt);
      if (feeds === null) return "its inputs are not made up";
      runs.push({ feeds, expected: await run(session, feeds) });
    }
  } catch (error) {
    if (runs.length === 0) return String(error.message);
  } finally {
    await session?.release();
  }
  return runs;
}

async function isSteady(model, bytes, runs) {
  for (const level of ["disabled", "all", "disabled"]) {
    const session = await open(bytes, level);
    try {
      for (const { feeds, expected } of runs) {
        if (differing(model, expected, await run(session, feeds)) !== null) return false;
        // Memory that is let go is given to who asks next.
        new Float32Array(2 ** 16).fill(1e20);
      }
    } catch {
      return false;
    } finally {
      await session.release();
    }
  }
  return true;
}

/** Errors that say that Pare is wrong, and not the model. */
const isFault = ({ name, code }) =>
  name !== "PareError" || ["INTERNAL", "PASS_FAILED"].includes(code);

const failed = (what, error) => ({
  outcome: `${what} failed`,
  what: String(error?.stack ?? error).slice(0, 1000),
});

function isEmpty(graph) {
  for (const { type } of graph.allValues())
    if (type.kind === "tensor" && type.shape?.includes(0)) return true;
  return false;
}

async function simplified(bytes) {
  try {
    const graph = await importModel({ name: "window.onnx", main: byteSource(bytes), beside: new Map() }); // prettier-ignore
    // The engine's pools of what is too small for them read what is not there.
    if (isEmpty(graph))
      return { outcome: "skipped", what: "there is nothing in one of its values" };
    await passed(graph, "simplify", {}, []);
    return graph;
  } catch (error) {
    if (isFault(error)) return failed("simplify", error);
    return { outcome: "refused", code: error.code, what: error.message };
  }
}

async function passed(graph, name, options, runs) {
  const pass = findPass(name);
  await pass.create(pass.parse(options)).run(graph, {
    activations: new MeasuredActivations({
      executor: cpu(),
      count: runs.length,
      async *samples() {
        for (const { feeds } of runs) yield feeds;
      },
    }),
  });
}

/** Null where a file of Pare's gives what is expected. */
async function compareFile(model, runs, bytes, by, limit) {
  let session;
  try {
    session = await open(bytes);
    for (const { feeds, expected } of runs) {
      const what = differing(model, expected, await run(session, feeds), limit);
      if (what !== null)
        return { outcome: `${by} ${limit.noise === undefined ? "different" : "far"}`, what };
    }
    return null;
  } catch (error) {
    return { outcome: `${by} broken`, what: String(error.message).slice(0, 400) };
  } finally {
    await session?.release();
  }
}

async function compareChanged(model, graph, runs, turn) {
  const conversion = conversions[turn];
  return conversion === undefined
    ? comparePruned(model, graph, runs)
    : compareConverted(model, graph, runs, conversion);
}

async function comparePruned(model, graph, runs) {
  const [cut, masked] = [graph.fork(), graph.fork()];
  try {
    const plan = await planPruning(cut, pruning);
    if (plan.cuts.length === 0) return null;
    await cutChannels(cut, plan.axes, plan.cuts);
    const same = await planPruning(masked, pruning);
    maskChannels(masked, same.axes, same.cuts);
  } catch (error) {
    return isFault(error) ? failed("prune", error) : null;
  }
  const zeroed = await runAll((await encodeModel(masked)).proto, runs);
  if (zeroed === null) return null;
  return compareFile(model, zeroed, (await encodeModel(cut)).proto, "prune", { apart: closeTo });
}

/** The same inputs and what a file of Pare's gives for them; null where the engine gives nothing. */
async function runAll(bytes, runs) {
  let session;
  try {
    session = await open(bytes);
    const made = [];
    for (const { feeds } of runs) made.push({ feeds, expected: await run(session, feeds) });
    return made;
  } catch {
    return null;
  } finally {
    await session?.release();
  }
}

async function compareConverted(model, graph, runs, [name, options, limit]) {
  const fork = graph.fork();
  try {
    await passed(fork, name, options, runs);
  } catch (error) {
    // Each may refuse a model for reasons of its own.
    return isFault(error) ? failed(name, error) : null;
  }
  return compareFile(model, runs, (await encodeModel(fork)).proto, name, limit);
}

/** Null where it is not compiled. */
async function compareModule(model, graph, runs) {
  const target = findTarget("aot");
  if ((await target.obstacles(graph)).length > 0) return null;
  let module;
  try {
    module = await aot().load(await target.emit(graph, {}));
    for (const { feeds, expected } of runs) {
      const fits = module.inputs.every(
        ({ name, dims }) => feeds[name]?.dims.join() === dims.join(),
      );
      if (!fits) continue;
      const own = Object.fromEntries(module.inputs.map(({ name }) => [name, feeds[name]]));
      const what = differing(model, expected, await module.run(own));
      if (what !== null) return { outcome: "module different", what };
    }
    return { outcome: "compiled" };
  } catch (error) {
    // Sizes that it was compiled for may be none that it has.
    return isFault(error) ? failed("module", error) : null;
  } finally {
    await module?.dispose();
  }
}
