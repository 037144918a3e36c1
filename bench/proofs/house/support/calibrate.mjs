// node --expose-gc calibrate.mjs MODEL FILE: Pare's calibration phase, alone. Beside bench/peers/calibrate.py: holds the samples,
// and for each line that it reads, { method, names, count, abortAfterMs }, calibrates once and prints a line of JSON.
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { executor, openHosts } from "../../../../bench/dist/index.js";
import {
  decodeModel,
  findPass,
  inferNode,
  MeasuredActivations,
} from "../../../../compiler/dist/index.js";
import { uint8Activations } from "../../../../compiler/dist/quantize/format.js";
import { byteSource } from "../../../../runtime/dist/format/index.js";
import { calibratedModels } from "./calibrated-models.mjs";

const [name, file] = process.argv.slice(2);
const bytes = new Uint8Array(readFileSync(file));
const source = { proto: byteSource(bytes), external: new Map() };
const graph = await decodeModel(source, { infer: inferNode });
const held = [];
for await (const feeds of calibratedModels[name].samples()) held.push(feeds);

const { hosts } = await openHosts(["cpu"]);
const runs = executor(hosts.get("cpu"));
// As the command line calibrates: on every core.
const threads = availableParallelism();
const engine = { load: (artifact, options) => runs.load(artifact, { threads, ...options }) };

console.log(JSON.stringify({ ready: held.length }));
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await calibrate(JSON.parse(line))));
for (const host of hosts.values()) await host.dispose();

async function calibrate({ method, names, count, abortAfterMs }) {
  const activations = new MeasuredActivations({
    executor: engine,
    count,
    async *samples() {
      for (let index = 0; index < count; index += 1) yield held[index % held.length];
    },
  });
  globalThis.gc();
  const pids = [process.pid, ...childrenOf(process.pid)];
  // What a pass makes of a graph before it asks is another phase, as what it makes of the answer is: Python's time and
  // memory begin and end with calibrating, and so do these.
  let idle;
  const begin = () => {
    for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, "5");
    idle = sum(pids, "VmRSS");
    started = last = performance.now();
  };
  const stop = new AbortController();
  const timer =
    abortAfterMs === undefined ? undefined : setTimeout(() => stop.abort(), abortAfterMs);
  let started;
  let last;
  let silence = 0;
  const options = {
    pass: "proof",
    signal: stop.signal,
    onStart: begin,
    onProgress() {
      silence = Math.max(silence, performance.now() - last);
      last = performance.now();
    },
  };
  try {
    const { observed, ended, peak } = await observe(activations, method, names, options, () => ({
      ended: performance.now(),
      peak: sum(pids, "VmHWM"),
    }));
    silence = Math.max(silence, ended - last);
    const seconds = (ended - started) / 1000;
    const ranges = Object.fromEntries(
      [...observed.ranges].map(([value, { min, max }]) => [graph.value(value).name, [min, max]]),
    );
    return { seconds, idle, peak, silence: silence / 1000, ranges };
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return {
      stopped: Math.max(0, performance.now() - started - abortAfterMs) / 1000,
      code: error.code,
    };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The ranges of named values, or, without names, all that quantize-static asks for by itself.
 * @param end when and with how much memory calibrating has ended: what the pass makes of it is another phase
 */
async function observe(activations, method, names, options, end) {
  if (names !== undefined) {
    const values = new Map([...graph.allValues()].map(({ id, name: its }) => [its, id]));
    const wanted = names.map((each) => ({
      value: values.get(each),
      statistic: { kind: "range", method, format: uint8Activations },
    }));
    options.onStart();
    return { observed: await activations.observe(graph, wanted, options), ...end() };
  }
  let result;
  const pass = findPass("quantize-static");
  await pass.create(pass.parse({ ranges: method })).run(graph.fork(), {
    activations: {
      async observe(asked, wanted, { beside }) {
        options.onStart();
        const observed = await activations.observe(asked, wanted, { ...options, beside });
        result = { observed, ...end() };
        return observed;
      },
    },
  });
  return result;
}

function childrenOf(pid) {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

function sum(pids, what) {
  return pids.reduce((bytes, pid) => {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return bytes + Number(new RegExp(`^${what}:\\s+(\\d+) kB`, "m").exec(status)[1]) * 1024;
  }, 0);
}
