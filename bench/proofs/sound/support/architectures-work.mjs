// Exported architectures: Pare reads each file, simplifies, compiles, quantizes, prunes and teaches it, and it still answers as its
// file does on onnxruntime.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  countNominalMacs,
  findPass,
  findTarget,
  importModel,
  MeasuredActivations,
  misreadPads,
} from "../../../../compiler/dist/index.js";
import { aot } from "../../../../runtime/dist/backends/aot.js";
import { cpu } from "../../../../runtime/dist/backends/ort-node.js";
import { byteSource, isPareError, onnxArtifact } from "../../../../runtime/dist/format/index.js";
import {
  asModule,
  inputsOf,
  noiseFor,
  outputsOfEngine,
  reasonsOf,
} from "../../aot/support/compiled.mjs";
import { relativeError } from "../../aot/support/relative-error.mjs";
import { exported, sampleOf } from "../../../peers/exported.mjs";
import { scratch } from "../../shell.mjs";
import { teachShaken } from "../../training/support/teach-shaken.mjs";

/** Of the largest number in an output. */
const tolerance = 1e-4;
/**
 * With weights at random some files hang on rounding: the engine's own answer is another where its inputs are rounded otherwise,
 * by so much of each number. A module, which rounds otherwise in every layer, is held to so many times that.
 */
const [rounding, overRounding] = [2e-7, 8];
const [keep, mostMacs] = [0.6, 0.62];
/** Of all files: what only a run tells the size of is neither compiled nor taught. */
const leastShare = 0.9;
const calibrating = 4;
/** Operators that converters leave, which no engine takes, and Pare says otherwise. */
const left = ["Erfc", "TFL_GELU"];

/**
 * @param script of bench/peers, which writes files into a folder and prints a line of JSON for each
 * @param findInterpreter with what the script imports
 * @param learns whether they are pruned and taught, too
 */
export const architecturesWork =
  (script, findInterpreter, { learns = true } = {}) =>
  async ({ claim, inform }) => {
    const python = await findInterpreter();
    const tally = {
      read: [],
      simplified: [],
      compiled: [],
      "modules' answers": [],
      quantized: [],
      pruned: [],
      taught: [],
    };
    const uncut = [];
    let files = 0;
    let modules = 0;
    let proposals = 0;
    await scratch(async (folder) => {
      for (const { name, file, error } of await exported(python, script, folder)) {
        if (file === undefined) inform(`${name}: it is not written`, { value: error });
        else await proveOne(name, join(folder, file));
      }
    });
    const all = (what, kind, n) =>
      claim(what, {
        value: tally[kind].length,
        bound: "≤ 0",
        n,
        met: tally[kind].length === 0 && n > 0,
        ...(tally[kind].length > 0 && { note: tally[kind].join("; ") }),
      });
    const most = (what, kind) => {
      const share = 1 - tally[kind].length / files;
      claim(what, {
        value: share,
        bound: `≥ ${leastShare}`,
        n: files,
        met: share >= leastShare,
        ...(tally[kind].length > 0 && { note: `not ${tally[kind].join("; ")}` }),
      });
    };
    all("files that are read, and answer otherwise", "read", files);
    all("files that are simplified, and answer otherwise", "simplified", files);
    most("share of files that are compiled", "compiled");
    all("modules that answer otherwise", "modules' answers", modules);
    all(
      "integer and half forms that are proposed for a target, and do not run",
      "quantized",
      proposals,
    );
    if (!learns) return;
    inform(`share of files that lose ${Math.round(100 * (1 - keep))} % of their work`, {
      value: 1 - uncut.length / files,
      note: `not ${uncut.join("; ")}`,
    });
    all("files that cannot be pruned so far, and are not told why", "pruned", files);
    most("share of files that learn to answer as they did", "taught");

    async function proveOne(name, path) {
      const { shapes, constants, feeds, outputs, exact } = sampleOf(path);
      const file = new Uint8Array(readFileSync(path));
      const byEngine = (given) => outputsOf(cpu(), onnxArtifact(file), given);
      const answered = await byEngine(feeds).catch((error) => error);
      if (answered instanceof Error && !left.some((op) => answered.message.includes(op))) {
        inform(`${name}: onnxruntime refuses its file`, { value: answered.message });
        return;
      }
      files += 1;
      const imported = () =>
        importModel({ name: "model", main: byteSource(file), beside: new Map() });
      const graph = await imported();
      const named = (all) =>
        Object.fromEntries(graph.main.outputs.map((id, at) => [graph.value(id).name, all[at]]));
      const source = named(outputs);
      const isReadRight = !(answered instanceof Error) && misreadPads(graph).length === 0;
      const expected = isReadRight ? answered : source;
      const fromSource = relativeError(source, expected);
      if (fromSource > tolerance)
        inform(`${name}: its file does not answer as what it was written from`, {
          value: fromSource,
        });
      const shaken = isReadRight ? relativeError(expected, await byEngine(rounded(feeds))) : 0;
      const tooFar = (distance) =>
        distance <= Math.max(tolerance, overRounding * shaken)
          ? undefined
          : `${distance.toPrecision(2)} apart`;
      const noting = async (kind, work) => {
        try {
          const why = await work();
          if (why !== undefined) tally[kind].push(`${name}: ${why}`);
        } catch (error) {
          tally[kind].push(`${name}: ${error.message.split("\n")[0]}`);
        }
      };
      const answersOf = async (one) =>
        tooFar(relativeError(expected, await outputsOfEngine(one, feeds)));
      await noting("read", async () => {
        const read = graph.fork();
        await apply(read, "normalize");
        return answersOf(read);
      });
      await noting("simplified", async () => {
        const simplified = graph.fork();
        await apply(simplified, "simplify");
        return answersOf(simplified);
      });
      const fixed = graph.fork();
      await apply(fixed, "bind-shapes", { shapes, constants });
      await apply(fixed, "simplify");
      const own = Object.fromEntries(
        inputsOf(fixed).map(({ name: input }) => [input, feeds[input]]),
      );
      const reasons = await reasonsOf(fixed);
      if (reasons.length > 0) tally.compiled.push(`${name}: ${reasons.join(", ")}`);
      else {
        modules += 1;
        await noting("modules' answers", async () => {
          const answers = await outputsOf(aot(), await asModule(fixed), own);
          const distance = relativeError(expected, answers);
          if (exact === null || tooFar(distance) === undefined) return tooFar(distance);
          // One of the two rounds too much, and float64 says which.
          const engines = relativeError(named(exact), expected);
          inform(`${name}: float32 on onnxruntime is apart from float64 by`, { value: engines });
          return tooFar(relativeError(named(exact), answers));
        });
      }
      for (const target of ["cpu", "wasm", "webgpu", ...(reasons.length === 0 ? ["aot"] : [])])
        for (const proposal of findTarget(target).propose(fixed)) {
          proposals += 1;
          await noting("quantized", () => runsAs(fixed, own, target, proposal));
        }
      if (!learns) return;
      await noting("pruned", async () => {
        const pruned = fixed.fork();
        try {
          const before = countNominalMacs(pruned);
          await apply(pruned, "prune", { keepFlops: keep });
          const share = countNominalMacs(pruned) / before;
          if (share > mostMacs) return `it still has ${share.toFixed(3)}`;
        } catch (error) {
          if (!isPareError(error) || error.hint === undefined) throw error;
          uncut.push(`${name}: ${error.hint}`);
          return undefined;
        }
        await outputsOfEngine(pruned, feeds);
        return undefined;
      });
      await noting("taught", async () => {
        const [first, last] = await teachShaken(fixed, [-1, 1], []);
        return last < first ? undefined : `its loss goes from ${first} to ${last}`;
      });
    }
  };

async function apply(graph, name, options = {}, context = {}) {
  const pass = findPass(name);
  await pass.create(pass.parse(options)).run(graph, context);
}

/** Floats by a rounding more or less. */
function rounded(feeds) {
  const other = ({ type, dims, data }) =>
    type === "float32"
      ? { type, dims, data: data.map((x, at) => x * (1 + rounding * (((at * 7) % 13) / 6 - 1))) }
      : { type, dims, data };
  return Object.fromEntries(Object.entries(feeds).map(([name, one]) => [name, other(one)]));
}

async function outputsOf(backend, artifact, feeds) {
  const session = await backend.load(artifact);
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

/** Undefined where it runs; with weights at random how right it is says nothing. */
async function runsAs(graph, feeds, target, { name, group }) {
  const fork = graph.fork();
  const inputs = inputsOf(graph);
  const activations = new MeasuredActivations({
    executor: cpu(),
    count: calibrating,
    async *samples() {
      for (let seed = 1; seed <= calibrating; seed += 1) yield noiseFor(inputs, seed);
    },
  });
  try {
    for (const { use, with: options = {} } of group.steps)
      await apply(fork, use, options, { activations });
    await apply(fork, "simplify");
    if (target === "aot") await outputsOf(aot(), await asModule(fork), feeds);
    else await outputsOfEngine(fork, feeds);
    return undefined;
  } catch (error) {
    return `${target} ${name}: ${isPareError(error) ? error.code : error.name} ${error.message}`;
  }
}
