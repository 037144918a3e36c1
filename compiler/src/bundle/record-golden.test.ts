import {
  type Artifact,
  type Executor,
  floatsToHalves,
  goldenInputs,
  onnxArtifact,
  type Tensor,
  type Tensors,
} from "@pare/runtime/format";
import { expect, it } from "vitest";
import type { Graph } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import type { OptimizedVariant } from "../search/request.js";
import { GoldenRecorder } from "./record-golden.js";

const graph = graphOf({ x: ["float32", 4] }, (input, b) => ({ y: b.add("Relu", [input("x")]) }));
const inputs = goldenInputs([{ name: "x", type: "float32", dims: [4] }], 7);

/** A detector that finds as many boxes as it is told in each noise. */
function detector(counts: (noise: number) => number): { executor: Executor; noises: number[] } {
  const noises: number[] = [];
  const run = async ({ x }: Tensors): Promise<Tensors> => {
    const first = Number(x?.data[0]);
    if (!noises.includes(first)) noises.push(first);
    const dims = [counts(noises.indexOf(first)), 2];
    const data = new Float32Array(2 * (dims[0] ?? 0)).fill(first);
    return { boxes: { type: "float32", dims, data } };
  };
  const executor: Executor = {
    load: async () => ({ inputs: [], outputs: [], run, dispose: async () => {} }),
  };
  return { executor, noises };
}

/** Draws as many numbers as it likes, and gives what it was given beside them. */
function drawing(): Executor {
  let runs = 0;
  const run = async ({ x }: Tensors): Promise<Tensors> => {
    runs += 1;
    const drawn = (count: number): Float32Array => new Float32Array(count).fill(runs);
    return {
      ...(x && { same: x }),
      noise: { type: "float32", dims: [4], data: drawn(4) },
      many: { type: "float32", dims: [runs], data: drawn(runs) },
    };
  };
  return { load: async () => ({ inputs: [], outputs: [], run, dispose: async () => {} }) };
}

/** Gives one answer, whatever is asked of a file. */
function answering(answer: (artifact: Artifact) => Tensor): Executor {
  return {
    load: async (artifact) => ({
      inputs: [],
      outputs: [],
      run: async () => ({ y: answer(artifact) }),
      dispose: async () => {},
    }),
  };
}

/** @param elsewhere how many the CPU's engine finds, where the variant is another one's */
async function record(counts: (noise: number) => number, elsewhere?: (noise: number) => number) {
  const { executor, noises } = detector(counts);
  return { noises, ...(await recordBy(executor, elsewhere)) };
}

async function recordBy(executor: Executor, elsewhere?: (noise: number) => number) {
  const target = elsewhere === undefined ? "cpu" : "wasm";
  const device = { target, engine: "", standIn: null, features: [], executor, saturates: false } as const; // prettier-ignore
  const others = elsewhere === undefined ? [] : [{ ...device, target: "cpu", ...detector(elsewhere) } as const]; // prettier-ignore
  const artifact = onnxArtifact(new Uint8Array(8));
  const variant: OptimizedVariant = {
    target,
    name: "float",
    precision: "float32",
    evidence: "labelled",
    artifact,
    reference: artifact,
    referenceGraph: graph,
    files: [],
    graph,
    groups: [],
    shares: [],
    measurement: { target, engine: "", sizeBytes: { raw: 0, gzip: 0, brotli: 0 }, accuracy: null, parity: null, latencyMs: { unmeasured: "" }, memoryBytes: null, startupMs: null }, // prettier-ignore
    baseline: null,
  };
  const recorder = new GoldenRecorder([device, ...others], inputs, 7);
  return { recorded: await recorder.record([variant], false), recorder, variant, device };
}

it("draws other noise where a detector finds nothing in one, and stays with it", async () => {
  const { recorded, recorder, variant, noises } = await record((noise) => (noise < 2 ? 0 : 3));
  const [first] = recorded.golden.cases;
  expect(first?.outputs[0]?.values["cpu-float"]?.length).toBe(6);
  expect(first?.inputs[0]?.seed).toBe(2007);
  expect(noises.length).toBe(3);
  expect((await recorder.record([variant], false)).golden).toEqual(recorded.golden);
  expect(noises.length).toBe(3);
});

it("draws floats above 0 where others give no number", async () => {
  const run = async ({ x }: Tensors): Promise<Tensors> => {
    const numbers = Float32Array.from(
      [...(x?.data ?? [])].map((value) => Math.acosh(Number(value))),
    );
    return { y: { type: "float32", dims: [4], data: numbers } };
  };
  const { recorded } = await recordBy({
    load: async () => ({ inputs: [], outputs: [], run, dispose: async () => {} }),
  });
  const [first] = recorded.golden.cases;
  expect(first?.inputs[0]?.range).toEqual([0, 2]);
  expect(first?.outputs[0]?.values["cpu-float"]?.length).toBeGreaterThan(0);
});

it("draws other noise where engines do not find as many, and in the end takes what there is", async () => {
  const steady = await record(
    () => 3,
    (noise) => (noise < 2 ? 4 : 3),
  );
  expect(steady.recorded.golden.cases[0]?.inputs[0]?.seed).toBe(2007);
  const unsteady = await record(
    () => 3,
    () => 4,
  );
  expect(unsteady.recorded.golden.cases[0]?.outputs[0]?.dims).toEqual([3, 2]);
});

it("draws other noise where the float model does not find as many as what was made of it", async () => {
  const { variant, device } = await record(() => 3);
  const reference = onnxArtifact(new Uint8Array(9));
  const noises: number[] = [];
  const finding =
    (others: number) =>
    async ({ x }: Tensors): Promise<Tensors> => {
      const noise = Number(x?.data[0]);
      if (!noises.includes(noise)) noises.push(noise);
      const count = noises.indexOf(noise) < 2 ? others : 3;
      return { boxes: { type: "float32", dims: [count], data: new Float32Array(count).fill(1) } };
    };
  const executor: Executor = {
    load: async ({ files: [{ bytes }] }) => ({
      inputs: [],
      outputs: [],
      run: finding(bytes.length === 9 ? 4 : 3),
      dispose: async () => {},
    }),
  };
  const recorder = new GoldenRecorder([{ ...device, executor }], inputs, 7);
  const int8 = { ...variant, name: "int8-static", precision: "int8", reference } as const;
  const { golden } = await recorder.record([int8], false);
  expect(noises.length).toBe(3);
  expect(golden.cases[0]?.inputs[0]?.seed).toBe(2007);
});

it("gives each output a tolerance of its own", async () => {
  const { recorded } = await record(() => 3);
  const { absolute, outputs } = recorded.tolerances["cpu-float"] ?? {};
  expect(Object.keys(outputs ?? {})).toEqual(["boxes"]);
  expect(outputs?.["boxes"]).toBe(absolute);
});

it.each([
  ["float16", floatsToHalves],
  ["float32", Float32Array.from.bind(Float32Array)],
] as const)("takes it from the values of %s, and not from what overflows", async (type, from) => {
  const { variant, device } = await record(() => 3);
  const float = onnxArtifact(Uint8Array.of(1));
  const executor = answering((artifact) => ({
    type,
    dims: [2],
    data: from([600, artifact === float ? 1 : Infinity]),
  }));
  const recorder = new GoldenRecorder([{ ...device, executor }], inputs, 7);
  const { tolerances } = await recorder.record([{ ...variant, reference: float }], false);
  expect(tolerances["cpu-float"]?.outputs).toEqual({ y: 0.6 });
});

it("asks an engine that loads no modules what the float model answers, and not what the variant says", async () => {
  const { variant, device } = await record(() => 3);
  const module: Artifact = { ...variant.artifact, format: "wasm" };
  const other = graphOf({ x: ["float32", 4] }, (input, { add }) => ({
    y: add("Neg", [input("x")]),
  }));
  const loaded: number[] = [];
  const executor = answering((artifact) => {
    loaded.push(artifact.files[0].bytes.length);
    return { type: "float32", dims: [1], data: Float32Array.of(5) };
  });
  const devices = [
    { ...device, target: "aot", executor },
    { ...device, executor },
  ] as const;
  const recorder = new GoldenRecorder(devices, inputs, 7);
  const own = {
    ...variant,
    target: "aot",
    artifact: module,
    reference: { ...onnxArtifact(Uint8Array.of(1)), format: "wasm" },
  } as const;
  await recorder.record([{ ...own, referenceGraph: other }], false);
  // The module, what its graph says, and what the float model's says.
  expect(new Set(loaded).size).toBe(3);
});

it.each([
  ["x", "1"],
  ["10", "2"],
])("knows its answers where inputs are called %s and %s", async (...names) => {
  const { variant, device } = await record(() => 3);
  const executor = answering(() => ({ type: "float32", dims: [1], data: Float32Array.of(5) }));
  const called = names.map((name) => ({ name, type: "float32", dims: [4] }) as const);
  const recorder = new GoldenRecorder([{ ...device, executor }], goldenInputs(called, 7), 7);
  const { golden } = await recorder.record([variant], false);
  expect(golden.cases[0]?.outputs[0]?.values).toEqual({ "cpu-float": [5] });
});

it("holds devices to finding nothing where a detector finds nothing in any", async () => {
  const { recorded, recorder, noises } = await record(() => 0);
  expect(noises.length).toBe(6);
  expect(recorder.isEmpty).toBe(true);
  const [first] = recorded.golden.cases;
  expect(first?.outputs[0]).toMatchObject({ dims: [0, 2], values: { "cpu-float": [] } });
  expect((await record(() => 3)).recorder.isEmpty).toBe(false);
});

it("is not taken for that where all that a model gives is drawn, as many as there happen to be", async () => {
  const random = graphOf({ x: ["float32", 4] }, (input, b) => ({
    y: b.add("RandomNormalLike", [input("x")]),
  }));
  const { variant, device } = await record(() => 3);
  let runs = 0;
  const executor = answering(() => {
    runs += 1;
    return { type: "float32", dims: [runs], data: new Float32Array(runs) };
  });
  const recorder = new GoldenRecorder([{ ...device, executor }], inputs, 7);
  const { golden } = await recorder.record([{ ...variant, graph: random }], false);
  expect(golden.cases[0]?.outputs).toEqual([]);
  expect(recorder.isEmpty).toBe(false);
});

it("says so where no noise gives a number", async () => {
  const executor = answering(() => ({ type: "float32", dims: [1], data: Float32Array.of(NaN) }));
  await expect(recordBy(executor)).rejects.toMatchObject({ code: "GOLDEN", where: "cpu-float" });
});

it("records nothing of what another run gives otherwise, and no such thing of a model that draws nothing", async () => {
  const random = graphOf({ x: ["float32", 4] }, (input, b) => ({
    y: b.add("RandomNormalLike", [input("x")]),
  }));
  const { variant, device } = await record(() => 3);
  const outputsOf = async (of: Graph) => {
    const recorder = new GoldenRecorder([{ ...device, executor: drawing() }], inputs, 7);
    const { golden } = await recorder.record([{ ...variant, graph: of }], false);
    return golden.cases[0]?.outputs.map(({ name, indices }) => [name, indices.length]);
  };
  expect(await outputsOf(random)).toEqual([
    ["same", 4],
    ["noise", 0],
  ]);
  expect(await outputsOf(graph)).toEqual([
    ["same", 4],
    ["noise", 4],
    ["many", 1],
  ]);
});
