import { elementCount } from "@pare/runtime/format";
import { describe, expect, it } from "vitest";
import { attribute, edit, type Graph, type Node, Tensor, type ValueId } from "../ir/index.js";
import { type Builder, graphOf } from "../rules/rule-case.test.support.js";
import { differentiate } from "./differentiate.js";
import { drawn, floatsOf, load } from "./gradient-check.test.support.js";

const { int, ints, float } = attribute;

/** The named value. */
function named(graph: Graph, name: string): ValueId {
  const found = [...graph.allValues()].find((value) => value.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found.id;
}

/** Layers of the same width, the result of each `every`-th named; the loss is the sum of the last. */
function deep(
  layers: number,
  every: number,
  layer: (x: ValueId, w: ValueId, builder: Builder) => ValueId,
): Graph {
  const weights = Array.from({ length: layers }, (_, at) => `w${at}`);
  return graphOf(
    {
      x: ["float32", 16, 4, 3, 3],
      ...Object.fromEntries(weights.map((name) => [name, ["float32", 4, 4, 1, 1] as const])),
    },
    (input, builder) => {
      let value = input("x");
      weights.forEach((name, at) => {
        value = layer(value, input(name), builder);
        if (at % every === every - 1) builder.editor.rename(value, `kept${at}`);
      });
      return { loss: builder.add("ReduceSum", [value], { keepdims: int(0) }) };
    },
  );
}

/** Differentiates a fork, and makes outputs of the gradients of all inputs. */
function trained(graph: Graph, kept: readonly string[] | "few"): Graph {
  const training = graph.fork();
  const { inputs } = training.main;
  const checkpoints = kept === "few" ? kept : kept.map((name) => named(training, name));
  const gradients = differentiate(training, named(training, "loss"), inputs, {
    engine: "cpu",
    checkpoints,
  });
  edit(training, "outputs", (editor) => gradients.forEach((id) => editor.addOutput(id)), {
    interface: true,
  });
  return training;
}

/** As onnxruntime orders nodes: what the last output needs first, what a node needs before it. */
function engineOrder(graph: Graph): readonly Node[] {
  const order = new Set<Node>();
  const visit = (value: ValueId | null): void => {
    const node = graph.producer(value);
    if (node === undefined || order.has(node)) return;
    node.inputs.forEach(visit);
    order.add(node);
  };
  [...graph.main.outputs].reverse().forEach(visit);
  return [...order];
}

/** The most elements that are alive at once, were each freed after its last reader. */
function peakOf(graph: Graph): number {
  const order = engineOrder(graph);
  const last = new Map<ValueId, number>();
  order.forEach((node, at) => {
    for (const input of node.inputs) if (input !== null) last.set(input, at);
  });
  for (const output of graph.main.outputs) last.set(output, order.length);
  let alive = 0;
  let peak = 0;
  const size = (id: ValueId): number => {
    const { type } = graph.value(id);
    return type.kind === "tensor" ? elementCount((type.shape ?? []).map(Number)) : 0;
  };
  order.forEach((node, at) => {
    for (const id of node.outputs) if (id !== null && last.has(id)) alive += size(id);
    peak = Math.max(peak, alive);
    for (const id of new Set(node.inputs))
      if (id !== null && last.get(id) === at && graph.value(id).producer !== null)
        alive -= size(id);
  });
  return peak;
}

async function run(graph: Graph): Promise<ReadonlyMap<string, readonly number[]>> {
  const session = await load(graph);
  const feeds = session.inputs.map(
    ({ name, dims }, at) => [name, drawn("small", dims.map(Number), at + 1)] as const,
  );
  const results = await session.run(Object.fromEntries(feeds));
  await session.dispose();
  return new Map(Object.entries(results).map(([name, y]) => [name, [...floatsOf(y)]]));
}

describe("gradient checkpointing", () => {
  it("gives the same gradients, bit for bit, and frees what lies between", async () => {
    const graph = deep(24, 6, (x, w, { add }) => add("Tanh", [add("Conv", [x, w])]));
    const [all, fewer] = [trained(graph, []), trained(graph, ["kept5", "kept11", "kept17"])];
    expect(await run(fewer)).toEqual(await run(all));
    // All 24 Tanhs, against the 3 that are kept and the 6 of one part, and what a step back takes.
    const activation = 16 * 4 * 9;
    expect(peakOf(all)).toBeGreaterThan(24 * activation);
    expect(peakOf(fewer)).toBeLessThan(15 * activation);
    const count = (other: Graph, op: string) =>
      [...other.allNodes()].filter((node) => node.op === op).length;
    // The last part is not computed again.
    expect(count(fewer, "Tanh") - count(all, "Tanh")).toBe(18);
  });

  it("holds for batch norms and pools, whose copies give what their gradients need, and for shortcuts", async () => {
    // Each norm has statistics of its own, as training gives them.
    let own = 1;
    const graph = deep(9, 3, (x, w, { add, many, floats }) => {
      const fill = (value: number) => floats([value, value, value, value]);
      const [scale, bias] = [fill(1), fill(0)];
      const [mean, variance] = [fill(own + 1), fill(own + 2)];
      own += 2;
      const inputs = [add("Conv", [x, w]), scale, bias, mean, variance];
      const training = { training_mode: int(1), momentum: float(0) };
      const [norm = x] = many("BatchNormalization", 3, inputs, training);
      const pooled = add("MaxPool", [norm], {
        kernel_shape: ints([3, 3]),
        pads: ints([1, 1, 1, 1]),
      });
      return add("Add", [x, pooled]);
    });
    const [all, fewer] = [trained(graph, []), trained(graph, ["kept2", "kept5"])];
    expect(await run(fewer)).toEqual(await run(all));
  });

  it("reads a first layer again by a path of its own, which no engine takes for the first", () => {
    const graph = deep(6, 3, (x, w, { add }) => add("Tanh", [add("Conv", [x, w])]));
    const fewer = trained(graph, ["kept2"]);
    const read = [...fewer.allNodes()]
      .filter(({ op }) => op === "Conv")
      .map(({ inputs }) => inputs.join());
    expect(read.length).toBe(new Set(read).size);
  });

  it("computes nothing again that no gradient reads", () => {
    const graph = deep(6, 3, (x, w, { add }) => add("Conv", [x, w]));
    const unread = (of: Graph) =>
      [...of.allNodes()]
        .filter(({ outputs }) =>
          outputs.every((id) => of.value(id ?? (-1 as ValueId)).uses.length === 0),
        )
        .map(({ op }) => op);
    expect(unread(trained(graph, ["kept2"]))).toEqual(unread(trained(graph, [])));
  });

  it("keeps what the least memory does with, where nobody says what", async () => {
    const graph = deep(36, 99, (x, w, { add }) => add("Tanh", [add("Conv", [x, w])]));
    const [all, few] = [trained(graph, []), trained(graph, "few")];
    expect(peakOf(few)).toBeLessThan(0.4 * peakOf(all));
    expect(await run(few)).toEqual(await run(all));
  });

  it("cuts where little crosses: between blocks, not within them", () => {
    const graph = deep(24, 99, (x, w, { add }) =>
      add("Add", [x, add("Conv", [add("Tanh", [add("Conv", [x, w])]), w])]),
    );
    const read = (of: Graph) => [...of.allNodes()].filter(({ op }) => op === "Where").length;
    // A value that crosses a cut comes late by itself, so a part of blocks has one.
    expect(read(trained(graph, "few"))).toBeLessThanOrEqual(8);
    expect(peakOf(trained(graph, "few"))).toBeLessThan(0.5 * peakOf(trained(graph, [])));
  });

  it("does not throw dice again", async () => {
    const graph = deep(6, 3, (x, w, { editor, add, floats }) => {
      const training = editor.constant("training", Tensor.of("bool", [], Uint8Array.of(1)));
      return add("Dropout", [add("Conv", [x, w]), floats([0.5]), training], { seed: int(3) });
    });
    const fewer = trained(graph, ["kept2"]);
    const dropouts = [...fewer.allNodes()].filter(({ op }) => op === "Dropout");
    expect(dropouts.length).toBe(6);
    expect(await run(fewer)).toEqual(await run(trained(graph, [])));
  });
});
