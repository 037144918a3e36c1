import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { cpu } from "../../../runtime/dist/backends/ort-node.js";
import { hasRelaxedSimd } from "../../../runtime/dist/backends/relaxed-simd.js";
import { modelPath } from "../../../fixtures/scripts/assets.mjs";
import { json, pare, run, scratch } from "../shell.mjs";
import { isHere, undriven, whileOpen } from "../support/browsers/undriven.mjs";
import { asOnnx, fixedGraph } from "./support/compiled.mjs";
import { onPage } from "./support/places/chromium.mjs";
import { inWorkerd } from "./support/places/in-workerd.mjs";
import { policy, served } from "../support/browsers/serve.mjs";
import { before, chunk, probabilities } from "./support/places/voice.js";
import { allowRelaxedSimd } from "./support/relaxed-simd.mjs";

// What runs elsewhere by the module of relaxed SIMD is compared with the same one here.
allowRelaxedSimd({ baseline: true });

const places = fileURLToPath(new URL("./support/places/", import.meta.url));
const seconds = 60;
const rate = 16_000;
const mostApart = 1e-6;

// One bundle of a voice detector, loaded by the loader that lies in it, hears a minute in every place there is.
export async function prove({ claim, inform, root }) {
  const { path } = await modelPath("silero-vad-v5");
  await scratch(async (folder) => {
    const bundle = join(folder, "vad.pare");
    const shapes = ["--shape", "input=1x576", "--shape", "state=2x1x128", "--const", "sr=16000"];
    // Its floats: what rounds them is no difference between places.
    const options = [
      "--target",
      "aot",
      "--recipe",
      "simplify",
      "--time-budget",
      "30s",
      "-o",
      bundle,
    ];
    const made = await pare(root, ["optimize", path, ...shapes, ...options]);
    if (made.code !== 0) throw new Error(made.stderr.slice(-500));
    cpSync(places, folder, { recursive: true });
    for (const [name, script] of [
      ["index.html", "page.js"],
      ["everywhere.html", "everywhere.js"],
    ])
      writeFileSync(
        join(folder, name),
        `<!doctype html><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`,
      );
    const samples = syllables();
    writeFileSync(join(folder, "samples.f32"), new Uint8Array(samples.buffer));

    const size = gzipSync(readFileSync(join(bundle, "aot-loader.js"))).length;
    claim("bytes of the loader after gzip", { value: size, bound: "≤ 2000", met: size <= 2000 });

    const loader = await import(pathToFileURL(join(bundle, "aot-loader.js")).href);
    const inNode = await referencesOf(loader, bundle, samples);
    const expected = await byEngine(path, samples);
    for (const [module, found] of Object.entries(inNode)) {
      const value = apart(expected, found);
      claim(`Node, ${module}: the largest difference of a probability to onnxruntime's`, {
        value,
        bound: "≤ 0.0001",
        n: found.length,
        met: value <= 1e-4,
        note: `between ${show(Math.min(...found))} and ${show(Math.max(...found))}`,
      });
    }
    const agrees = (place, module, found) => {
      const value = apart(inNode[module], found);
      claim(`${place}: the largest difference of a probability to Node's, ${module}`, {
        value,
        bound: `≤ ${mostApart}`,
        n: found.length,
        met: value <= mostApart,
      });
    };
    const taken = hasRelaxedSimd() ? "relaxed SIMD" : "SIMD";
    agrees("Node, what the loader takes", taken, inNode["as it is loaded"]);

    const seen = await served(folder, (url) =>
      onPage(url, (evaluate, browser, complaints) =>
        onThePage({ claim, agrees, evaluate, browser, complaints }),
      ),
    );
    if (seen === null) claim("a Chromium", { value: "none", bound: "one", met: false });
    for (const browser of undriven) {
      if (!isHere(browser)) inform(browser.name, { value: "there is none here" });
      else {
        const said = await served(folder, (url, told) =>
          whileOpen(browser, `${url}everywhere.html`, told),
        );
        undrivenPage({ claim, agrees, inNode, browser: browser.name, ...said });
      }
    }

    const heap = await run(
      process.execPath,
      ["--no-opt", "--no-sparkplug", join(folder, "heap.mjs")],
      { cwd: folder },
    );
    const { bytes, quanta } = heap.code === 0 ? JSON.parse(heap.stdout) : { bytes: Infinity };
    claim("bytes that a quantum allocates on the audio thread, interpreted", {
      value: bytes / quanta,
      bound: "< 1",
      n: quanta,
      met: bytes < quanta,
      note: heap.code === 0 ? undefined : heap.stderr.slice(-300),
    });

    const { found, refused } = await inWorkerd(folder, modulesOf(bundle), samples);
    agrees("workerd, a module that was imported", "relaxed SIMD", found);
    claim("workerd compiles at run time", {
      value: refused === null ? "yes" : "no",
      bound: "no",
      met: refused !== null,
      note: refused ?? undefined,
    });
    inform("a difference between the two modules in Node", {
      value: apart(inNode["SIMD"], inNode["relaxed SIMD"]),
      n: found.length,
    });
  });
}

async function onThePage({ claim, agrees, evaluate, browser, complaints }) {
  for (const place of await evaluate("Object.keys(proof.places)"))
    agrees(
      `${browser}, ${place}`,
      "relaxed SIMD",
      await evaluate(`proof.places[${JSON.stringify(place)}]()`),
    );
  const control = await evaluate('proof.play("slow-voice", 3)');
  claim("underruns of a processor that is too slow now and then: they are counted", {
    value: control.underrunEvents ?? "not told",
    bound: "> 0",
    met: control.underrunEvents > 0,
  });
  const { underrunEvents, underrunDuration, played } = await evaluate(
    `proof.play("voice", ${seconds})`,
  );
  claim(`underruns of ${seconds} s of voice detection in an AudioWorklet`, {
    value: underrunEvents ?? "not told",
    bound: 0,
    n: Math.round(played * rate),
    met: underrunEvents === 0 && played > seconds - 1,
    note: `${show(played)} s were played, ${show(underrunDuration)} s of them silent`,
  });
  const violations = [...(await evaluate("proof.violations")), ...complaints];
  claim(`what ${browser} says against it under ${policy}`, {
    value: violations.join("; ") || "nothing",
    bound: "nothing",
    met: violations.length === 0,
  });
}

/** Which module a browser takes is its own affair: it answers as one of them does. */
function undrivenPage({ claim, agrees, inNode, browser, agent, found, violations, error }) {
  const where = /Firefox\/\d+/.exec(agent)?.[0].replace("/", " ") ?? browser;
  for (const [place, heard] of Object.entries(found)) {
    const [nearest] = ["SIMD", "relaxed SIMD"].toSorted(
      (one, two) => apart(inNode[one], heard) - apart(inNode[two], heard),
    );
    agrees(`${where}, ${place}`, nearest, heard);
  }
  claim(`what ${where} says against it under ${policy}`, {
    value: [...violations, ...(error === null ? [] : [error])].join("; ") || "nothing",
    bound: "nothing",
    met: violations.length === 0 && error === null && Object.keys(found).length > 0,
  });
}

/** By each module, and by what the loader takes by itself. */
async function referencesOf({ compile, start }, bundle, samples) {
  const { variants } = json(join(bundle, "manifest.json"));
  const files = variants[0].files.map((file) => readFileSync(join(bundle, file.path)));
  const [plain, relaxed, weights] = files;
  const by = async (module) =>
    probabilities(
      start({
        module: await WebAssembly.compile(module),
        weights: new Uint8Array(weights).buffer,
      }),
      samples,
    );
  return {
    SIMD: await by(plain),
    "relaxed SIMD": await by(relaxed),
    "as it is loaded": probabilities(start(await compile()), samples),
  };
}

async function byEngine(path, samples) {
  const session = await cpu().load(await asOnnx(await fixedGraph({ name: "silero-vad-v5", path })));
  const found = new Float32Array(Math.floor(samples.length / chunk));
  const input = new Float32Array(before + chunk);
  let state = new Float32Array(256);
  for (let at = 0; at < found.length; at += 1) {
    input.copyWithin(0, chunk);
    input.set(samples.subarray(at * chunk, (at + 1) * chunk), before);
    const { output, stateN } = await session.run({ input, state });
    found.set(output.data, at);
    state = stateN.data;
  }
  await session.dispose();
  return found;
}

/** As workerd is told of its modules. */
function modulesOf(bundle) {
  const own = readdirSync(join(bundle, "variants")).map((name) => [
    `vad.pare/variants/${name}`,
    name.endsWith(".wasm") ? "CompiledWasm" : "Data",
  ]);
  const scripts = ["workerd.js", "voice.js", "vad.pare/aot-workerd.js", "vad.pare/aot-loader.js"];
  return [...scripts.map((path) => [path, "ESModule"]), ...own];
}

/** Something like speech, with pauses, the same each time: harmonics of a voice that rises and falls, and some noise. */
function syllables() {
  let state = 1;
  const noise = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
  let phase = 0;
  return Float32Array.from({ length: seconds * rate }, (_, at) => {
    const time = at / rate;
    phase += (2 * Math.PI * (120 + 40 * Math.sin(2 * Math.PI * 0.7 * time))) / rate;
    const loud = Math.max(0, Math.sin(2 * Math.PI * 2.3 * time)) * (time % 7 < 4 ? 0.3 : 0);
    let voice = 0;
    for (let harmonic = 1; harmonic < 12; harmonic += 1)
      voice += Math.sin(harmonic * phase) / harmonic;
    return loud * voice + 0.003 * noise();
  });
}

function apart(expected, found) {
  if (expected.length !== found.length) return Infinity;
  return expected.reduce((most, value, at) => Math.max(most, Math.abs(value - found[at])), 0);
}

function show(value) {
  return String(Number(Number(value).toPrecision(4)));
}
