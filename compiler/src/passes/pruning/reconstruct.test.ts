import type { Tensor as Dense, Tensors } from "@pare/runtime/format";
import { cpu } from "@pare/runtime/ort-node";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attribute, edit, type Graph, Tensor, type ValueId, verifyGraph } from "../../ir/index.js";
import { attributeReader, evaluateGraph } from "../../ops/index.js";
import type { Examples } from "../../pipeline/examples.js";
import { type Consumer, consumersOf } from "../../prune/consumers.js";
import { cutChannels } from "../../prune/cut.js";
import { planPruning } from "../../prune/prune.js";
import { blockKinds, type Drawn, networkOf } from "../../prune/random-network.test.support.js";
import { graphOf } from "../../rules/rule-case.test.support.js";
import { giveOutput } from "../../train/interface.js";
import { prune } from "../prune.js";
import { feedsOf, run } from "../quantization/engine-case.test.support.js";
import { reconstruct } from "./reconstruct.js";

function samplesOf(graph: Graph, count: number): readonly Tensors[] {
  return Array.from({ length: count }, (_, seed) => feedsOf(graph, seed + 1));
}

function examplesOf(samples: readonly Tensors[]): Examples {
  return {
    executor: cpu(),
    count: samples.length,
    async *read() {
      for (const feeds of samples) yield { feeds, label: undefined };
    },
  };
}

interface Cut {
  readonly whole: Graph;
  readonly cut: Graph;
  readonly consumers: readonly Consumer[];
}

async function cutOf(graph: Graph, keep = 0.5): Promise<Cut> {
  const [whole, cut] = [graph.fork(), graph.fork()];
  const { axes, cuts } = await planPruning(cut, {
    keep,
    where: "keepFlops",
    measure: "macs",
    importance: "magnitude",
    scope: "layer",
    multiple: 1,
  });
  const consumers = consumersOf(cut, axes, cuts);
  await cutChannels(cut, axes, cuts);
  return { whole, cut, consumers };
}

/** A value of a graph, by the reference evaluation. */
async function valueIn(graph: Graph, value: ValueId, feeds: Tensors): Promise<Dense> {
  const fork = graph.fork();
  edit(fork, "test", (editor) => giveOutput(editor, fork, value, "looked_at"), { interface: true });
  const { looked_at: found } = await evaluateGraph(fork, feeds);
  if (found === undefined) throw new Error("no such value");
  return found;
}

/** Rows of what outputs are made of, and of what they are to be; one list for each group. */
interface Rows {
  readonly x: number[][];
  readonly y: number[][];
}

const at = ({ data }: Dense, index: number): number => Number(data[index]);

/** Place by place, written from the definition of a convolution with strides, dilations, pads and groups. */
function convolutionRows(x: Dense, y: Dense, dims: readonly number[], node: Consumer["node"]) {
  const attributes = attributeReader(node.attributes);
  const group = attributes.int("group", 1);
  const [stride = 1] = attributes.ints("strides") ?? [];
  const [dilation = 1] = attributes.ints("dilations") ?? [];
  const [top = 0, left = 0] = attributes.ints("pads") ?? [];
  const [outputs = 1, inputs = 1, height = 1, width = 1] = dims;
  const [count = 1, channels = 1, rows = 1, columns = 1] = x.dims;
  const [, , down = 1, across = 1] = y.dims;
  return Array.from({ length: group }, (_, own): Rows => {
    const found: Rows = { x: [], y: [] };
    for (let n = 0; n < count; n += 1)
      for (let i = 0; i < down; i += 1)
        for (let j = 0; j < across; j += 1) {
          const read: number[] = [];
          for (let c = 0; c < inputs; c += 1)
            for (let k = 0; k < height; k += 1)
              for (let l = 0; l < width; l += 1) {
                const row = i * stride - top + k * dilation;
                const column = j * stride - left + l * dilation;
                const isInside = row >= 0 && row < rows && column >= 0 && column < columns;
                const plane = n * channels + own * inputs + c;
                read.push(isInside ? at(x, (plane * rows + row) * columns + column) : 0);
              }
          found.x.push(read);
          found.y.push(
            Array.from({ length: outputs / group }, (__, m) =>
              at(y, ((n * outputs + (own * outputs) / group + m) * down + i) * across + j),
            ),
          );
        }
    return found;
  });
}

function matrixRows(x: Dense, y: Dense): readonly Rows[] {
  const rowsOf = (dense: Dense): number[][] => {
    const width = dense.dims.at(-1) ?? 1;
    return Array.from({ length: dense.data.length / width }, (_, row) =>
      Array.from({ length: width }, (__, column) => at(dense, row * width + column)),
    );
  };
  return [{ x: rowsOf(x), y: rowsOf(y) }];
}

/** By elimination with pivots: (xᵀx + λI)(w − w₀) = xᵀ(y − x w₀), the last input without λ where it is an intercept's. */
function solved({ x, y }: Rows, before: readonly (readonly number[])[], intercept: boolean) {
  const rows = intercept ? x.map((row) => [...row, 1]) : x;
  const size = rows[0]?.length ?? 0;
  const held = intercept ? size - 1 : size;
  const a = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (__, j) =>
      rows.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0),
    ),
  );
  let trace = 0;
  for (let i = 0; i < held; i += 1) trace += a[i]?.[i] ?? 0;
  for (let i = 0; i < held; i += 1) a[i]?.splice(i, 1, (a[i]?.[i] ?? 0) + (1e-3 * trace) / held);
  const missing = before.map((own, output) =>
    rows.map((row, sample) => {
      const given = row.reduce((all, value, index) => all + value * (own[index] ?? 0), 0);
      return (y[sample]?.[output] ?? 0) - given;
    }),
  );
  const right = Array.from({ length: size }, (_, i) =>
    missing.map((own) =>
      rows.reduce((sum, row, sample) => sum + (row[i] ?? 0) * (own[sample] ?? 0), 0),
    ),
  );
  for (let i = 0; i < size; i += 1) {
    let best = i;
    for (let row = i; row < size; row += 1)
      if (Math.abs(a[row]?.[i] ?? 0) > Math.abs(a[best]?.[i] ?? 0)) best = row;
    [a[i], a[best]] = [a[best] ?? [], a[i] ?? []];
    [right[i], right[best]] = [right[best] ?? [], right[i] ?? []];
    for (let row = 0; row < size; row += 1) {
      if (row === i) continue;
      const factor = (a[row]?.[i] ?? 0) / (a[i]?.[i] ?? 1);
      a[row] = (a[row] ?? []).map((value, column) => value - factor * (a[i]?.[column] ?? 0));
      right[row] = (right[row] ?? []).map((value, out) => value - factor * (right[i]?.[out] ?? 0));
    }
  }
  return before.map((own, output) =>
    own.map((value, i) => value + (right[i]?.[output] ?? 0) / (a[i]?.[i] ?? 1)),
  );
}

/** What `reconstruct` says it does, the slow way. */
async function slowly({ whole, cut, consumers }: Cut, samples: readonly Tensors[]): Promise<void> {
  for (const { node: before, kept } of consumers) {
    const node = cut.node(before.id);
    const [activation, weight, bias] = node.inputs;
    const [output] = node.outputs;
    const weights = cut.constant(weight);
    if (!activation || !weight || !output || weights === undefined) continue;
    if (!["Conv", "Gemm", "MatMul"].includes(node.op)) continue;
    const [use] = node.op === "MatMul" ? cut.value(output).uses : [];
    const add = use?.kind === "node" ? cut.node(use.node) : undefined;
    const added = add?.op === "Add" ? add.inputs.findIndex((id) => cut.constant(id)) : -1;
    const result = added < 0 ? output : add?.outputs[0];
    const intercepts = added < 0 ? cut.constant(bias) : cut.constant(add?.inputs[added]);
    const hasIntercept = node.op !== "MatMul" || added >= 0;
    const groups: Rows[] = [];
    for (const feeds of samples) {
      const x = await valueIn(cut, activation, feeds);
      const wide = await valueIn(whole, result ?? output, feeds);
      const y = await narrowed(wide, kept);
      const found =
        node.op === "Conv" ? convolutionRows(x, y, weights.dims, node) : matrixRows(x, y);
      for (const [own, rows] of found.entries()) {
        const all = (groups[own] ??= { x: [], y: [] });
        all.x.push(...rows.x);
        all.y.push(...rows.y);
      }
    }
    const outputs = groups.reduce((sum, { y }) => sum + (y[0]?.length ?? 0), 0);
    const inputs = weights.count / outputs;
    const turns = attributeReader(node.attributes).int("transB", 0) !== 0;
    const isTurned = node.op !== "Conv" && !turns;
    const data = await weights.readFloat32();
    const shifts = await intercepts?.readFloat32();
    const own = Array.from({ length: outputs }, (_, row) => [
      ...Array.from(
        { length: inputs },
        (__, column) => data[isTurned ? column * outputs + row : row * inputs + column] ?? 0,
      ),
      ...(hasIntercept ? [shifts?.[row] ?? 0] : []),
    ]);
    const perGroup = outputs / groups.length;
    const fitted = groups.flatMap((rows, index) =>
      solved(rows, own.slice(index * perGroup, (index + 1) * perGroup), hasIntercept),
    );
    edit(cut, "slowly", (editor) => {
      const values = new Float32Array(weights.count);
      for (const [row, one] of fitted.entries())
        for (let column = 0; column < inputs; column += 1)
          values[isTurned ? column * outputs + row : row * inputs + column] = one[column] ?? 0;
      editor.setConstant(weight, Tensor.float32(weights.dims, values));
      if (!hasIntercept) return;
      const last = fitted.map((one) => one[inputs] ?? 0);
      const constant = editor.constant("shift", Tensor.float32([outputs], last));
      if (added < 0) editor.setInput(node.id, 2, constant);
      else if (add !== undefined) editor.setInput(add.id, added, constant);
    });
  }
}

async function narrowed(from: Dense, kept: Consumer["kept"]): Promise<Dense> {
  const graph = graphOf({ x: ["float32", ...from.dims] }, (input, b) => {
    let value = input("x");
    for (const { axis, places } of kept)
      value = b.add("Gather", [value, b.ints(places)], { axis: attribute.int(axis) });
    return { y: b.add("Identity", [value]) };
  });
  return (await evaluateGraph(graph, { x: from }))["y"] ?? from;
}

/** Σ of the squares of the difference over that of what was expected. */
async function off(expected: Graph, found: Graph, samples: readonly Tensors[]): Promise<number> {
  let [error, signal] = [0, 0];
  for (const feeds of samples) {
    const others = await run(found, feeds);
    for (const [name, { data }] of Object.entries(await run(expected, feeds)))
      for (const [index, value] of data.entries()) {
        error += (Number(value) - Number(others[name]?.data[index])) ** 2;
        signal += Number(value) ** 2;
      }
  }
  return error / signal;
}

const networks: fc.Arbitrary<Drawn> = fc.record({
  blocks: fc.array(fc.constantFrom(...blockKinds), { minLength: 1, maxLength: 2 }),
  head: fc.constantFrom("GlobalAveragePool, Gemm", "attention"),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

describe("layers that lost inputs", () => {
  it("are fitted as the slow reference fits them, in any network", async () => {
    let fitted = 0;
    const property = fc.asyncProperty(networks, async (drawn) => {
      const graph = networkOf(drawn);
      const samples = samplesOf(graph, 3);
      const [quick, slow] = [await cutOf(graph), await cutOf(graph)];
      await reconstruct(quick.whole, quick.cut, quick.consumers, examplesOf(samples), {});
      verifyGraph(quick.cut);
      await slowly(slow, samples);
      expect(await off(slow.cut, quick.cut, samples)).toBeLessThan(1e-4);
      const notes = quick.cut.journal.filter(({ reason }) => reason.startsWith("weights fitted"));
      for (const { reason } of notes) {
        const [was = 0, is = 0] = [...reason.matchAll(/([\d.]+) %/g)].map(([, share]) =>
          Number(share),
        );
        expect(is).toBeLessThanOrEqual(was + 0.1);
      }
      fitted += notes.length;
    });
    await fc.assert(property, { numRuns: 12 });
    expect(fitted).toBeGreaterThan(12);
  }, 240_000);

  it.each<[string, Readonly<Record<string, readonly number[]>>, number]>([
    ["strides and pads", { strides: [2, 2], pads: [1, 1, 1, 1] }, 1],
    ["dilations", { dilations: [2, 2], pads: [0, 1, 2, 1] }, 1],
    ["two groups", { pads: [1, 1, 1, 1] }, 2],
  ])("are convolutions with %s", async (_, lists, group) => {
    const { int, ints } = attribute;
    const graph = graphOf({ x: ["float32", "N", 3, 9, 9] }, (input, b) => {
      const hidden = b.add("Relu", [b.add("Conv", [input("x"), b.weights(8, 3, 1, 1)])]);
      return {
        y: b.add("Conv", [hidden, b.weights(6, 8 / group, 3, 3)], {
          ...Object.fromEntries(Object.entries(lists).map(([name, all]) => [name, ints(all)])),
          group: int(group),
        }),
      };
    });
    const samples = samplesOf(graph, 4);
    const [quick, slow] = [await cutOf(graph), await cutOf(graph)];
    const without = await off(graph, quick.cut, samples);
    await reconstruct(quick.whole, quick.cut, quick.consumers, examplesOf(samples), {});
    await slowly(slow, samples);
    expect(await off(slow.cut, quick.cut, samples)).toBeLessThan(1e-6);
    expect(await off(graph, quick.cut, samples)).toBeLessThan(0.6 * without);
  });

  it("give exactly what they gave where what is left tells all", async () => {
    // The last four channels are the first four again.
    const graph = graphOf({ x: ["float32", "N", 4] }, (input, b) => {
      const half = [1, 2, 0, -1, 0, 1, 3, 1, -2, 0, 1, 1, 1, 1, 0, 2];
      const rows = [0, 1, 2, 3].flatMap((row) => {
        const own = half.slice(4 * row, 4 * row + 4);
        return [...own, ...own.map((value) => value / 2)];
      });
      const hidden = b.add("Relu", [b.add("MatMul", [input("x"), b.floats(rows, [4, 8])])]);
      return { y: b.add("MatMul", [hidden, b.weights(8, 3)]) };
    });
    const samples = samplesOf(graph, 20);
    const { whole, cut, consumers } = await cutOf(graph);
    expect(await off(graph, cut, samples)).toBeGreaterThan(0.01);
    await reconstruct(whole, cut, consumers, examplesOf(samples), {});
    expect(await off(graph, cut, samples)).toBeLessThan(1e-4);
  });

  it("are left alone where their weights are read elsewhere too", async () => {
    const graph = graphOf({ x: ["float32", 1, 3, 4, 4] }, (input, b) => {
      const shared = b.weights(8, 8, 1, 1);
      const first = b.add("Conv", [input("x"), b.weights(8, 3, 1, 1)]);
      const second = b.add("Conv", [b.add("Relu", [first]), shared]);
      const third = b.add("Conv", [b.add("Relu", [second]), shared]);
      return { y: b.add("Conv", [third, b.weights(2, 8, 1, 1)]) };
    });
    const { whole, cut, consumers } = await cutOf(graph);
    await reconstruct(whole, cut, consumers, examplesOf(samplesOf(graph, 2)), {});
    const said = cut.journal.map(({ what, reason }) => `${what}: ${reason.split(/[:,]/)[0]}`);
    expect(said).toEqual([
      "left: its weights must stay as they were",
      "left: its weights must stay as they were",
      "changed: weights fitted to what it gave",
    ]);
  });
});

describe("the pass", () => {
  const graph = networkOf({
    blocks: ["convolution", "residual"],
    head: "GlobalAveragePool, Gemm",
    seed: 4,
  });
  const pruned = async (options: object, examples?: Examples): Promise<Graph> => {
    const fork = graph.fork();
    const pass = prune.create(prune.parse({ keepFlops: 0.5, multiple: 1, ...options }));
    await pass.run(fork, examples === undefined ? {} : { examples });
    return fork;
  };

  it("comes closer to the model as it was, with as much work", async () => {
    const samples = samplesOf(graph, 12);
    const others = Array.from({ length: 6 }, (_, seed) => feedsOf(graph, 40 + seed));
    const plain = await pruned({});
    const fitted = await pruned({ reconstruct: true }, examplesOf(samples));
    expect(await off(graph, fitted, others)).toBeLessThan(0.7 * (await off(graph, plain, others)));
    const again = await pruned({ reconstruct: true }, examplesOf(samples));
    expect(await off(fitted, again, others)).toBe(0);
  });

  it("needs samples, and says so", async () => {
    const pass = prune.create(prune.parse({ reconstruct: true }));
    expect(pass.needs).toBe("examples");
    expect(pass.learningRuns?.(1000)).toBe(2560);
    await expect(pruned({ reconstruct: true })).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
  });
});
