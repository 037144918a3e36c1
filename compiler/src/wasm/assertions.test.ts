import { expect, it } from "vitest";
import { attribute, type Graph } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { planOf } from "./compile.js";
import { emitModule } from "./emit.js";
import { enginesHere } from "./kernels/kernel-case.test.support.js";
import { type MemoryPlan, planMemory } from "./plan/memory-plan.js";
import { type Buffer, bytesOf, type Plan } from "./plan/plan.js";
import { feedsFor, relativeError, runBytes, runModule } from "./run-model.test.support.js";

/** Kernels of most kinds: convolutions, a product, a copy, a reduction, elementwise, with values that live long. */
function branches(): Graph {
  const pads = { pads: attribute.ints([1, 1, 1, 1]) };
  return graphOf({ x: ["float32", 1, 3, 6, 7] }, (input, b) => {
    const first = b.add("Relu", [b.add("Conv", [input("x"), b.weights(5, 3, 3, 3)], pads)]);
    const depthwise = b.add("Conv", [first, b.weights(5, 1, 3, 3)], {
      ...pads,
      group: attribute.int(5),
    });
    const joined = b.add("Concat", [depthwise, b.add("Sigmoid", [first])], {
      axis: attribute.int(1),
    });
    const turned = b.add("Transpose", [joined], { perm: attribute.ints([0, 2, 3, 1]) });
    const rows = b.add("MatMul", [turned, b.weights(10, 4)]);
    return { y: b.add("Softmax", [rows]), z: b.add("ReduceMean", [first, b.ints([2, 3])]) };
  });
}

const plan: Plan = await planOf(branches());
const memory = planMemory(plan);
const feeds = feedsFor(plan);
const expected = enginesHere.map((engine) => runModule(plan, feeds, engine));

/** Runs the assertion build of a plan that was changed, where the memory is as it was planned. */
function assertionsOf(changed: Plan, placed: MemoryPlan = memory, engine = enginesHere[0]) {
  if (engine === undefined) throw new Error("There is no engine.");
  return runBytes(
    emitModule(changed, placed, engine, "inside", { asserted: true }),
    changed,
    placed,
    feeds,
  );
}

/** A plan in which one buffer is said to be another, while steps and addresses are those of the first. */
function saying(of: Buffer, change: Partial<Buffer>): { plan: Plan; memory: MemoryPlan } {
  const changed: Buffer = { ...of, ...change };
  const swap = <T>(held: T | Buffer): T | Buffer => (held === of ? changed : held);
  return {
    plan: {
      ...plan,
      buffers: plan.buffers.map((buffer) => (buffer === of ? changed : buffer)),
      steps: plan.steps.map((step) => ({
        ...step,
        at: step.at.map((place) => ({ ...place, in: swap(place.in) })),
      })),
    },
    memory: {
      ...memory,
      addressOf: ({ in: held, offset }) =>
        memory.addressOf({ in: held === changed ? of : held, offset }),
    },
  };
}

it("computes what the module without assertions computes, bit by bit", () => {
  expect(new Set(plan.steps.map(({ kernel }) => kernel)).size).toBeGreaterThan(5);
  enginesHere.forEach((engine, at) =>
    expect(assertionsOf(plan, memory, engine)).toEqual(expected[at]),
  );
});

it("adds nothing to a module that was not asked for them", () => {
  const bytes = emitModule(plan, memory, enginesHere[0] ?? fail(), "inside");
  const names = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(({ name }) => name);
  expect(names).toEqual(["memory", "run"]);
});

it("traps, and names the step, wherever one writes or reads beside its operands", () => {
  plan.steps.forEach((step, index) => {
    for (const direction of [1, -1]) {
      const at = step.at.map(({ in: held, offset }) => {
        const bytes = bytesOf(held);
        return { in: held, offset: offset + direction * (bytes + 16) };
      });
      const steps = plan.steps.map((own, place) => (place === index ? { ...own, at } : own));
      expect(() => assertionsOf({ ...plan, steps })).toThrow(
        `Step ${index} (${step.kernel}) trapped`,
      );
    }
  });
});

it("traps where a buffer ends a little earlier than a kernel thinks", () => {
  // An input is written by whoever runs the model, and its last vector may be read beyond its end.
  for (const buffer of plan.buffers.filter(({ first }) => first >= 0)) {
    const short = saying(buffer, { bytes: buffer.bytes - 16 });
    expect(() => assertionsOf(short.plan, short.memory), buffer.name).toThrow(/trapped/);
  }
});

it("traps where a value is used after its buffer was given away, or before it was taken", () => {
  for (const buffer of plan.buffers) {
    const { first, last } = buffer;
    if (last <= first) continue;
    const steps = plan.steps.length;
    const early = saying(buffer, { last: Math.min(last, steps) - 1 });
    if (last < steps)
      expect(() => assertionsOf(early.plan, early.memory)).toThrow(`Step ${last} (`);
    const late = saying(buffer, { first: first + 1 });
    if (first >= 0) expect(() => assertionsOf(late.plan, late.memory)).toThrow(`Step ${first} (`);
  }
});

it("gives NaN where two values that live together share memory", () => {
  let pairs = 0;
  const [engine] = enginesHere;
  for (const one of plan.buffers)
    for (const other of plan.buffers) {
      // The first is given away while the second, which lies over it, is still to be read.
      const isOverlap = one !== other && other.first <= one.last && one.last < other.last;
      if (!isOverlap || one.last >= plan.steps.length || isReused(one)) continue;
      pairs += 1;
      const overlapping: MemoryPlan = {
        ...memory,
        addressOf: ({ in: held, offset }) =>
          memory.addressOf({ in: held === other ? one : held, offset }),
      };
      const [first] = expected;
      if (engine === undefined || first === undefined) throw new Error("There is no engine.");
      const bytes = emitModule(plan, overlapping, engine, "inside", { asserted: true });
      expect(
        relativeError(first, runBytes(bytes, plan, overlapping, feeds)),
        `${one.name} under ${other.name}`,
      ).toBe(Infinity);
    }
  expect(pairs).toBeGreaterThan(2);
});

/** Does another value lie there later, over what was poisoned? */
function isReused(one: Buffer): boolean {
  const [from, to] = rangeOf(one);
  return plan.buffers.some((other) => {
    const [start, end] = rangeOf(other);
    return other.first > one.last && start < to && from < end;
  });
}

function rangeOf(buffer: Buffer): readonly [from: number, to: number] {
  const from = memory.addressOf({ in: buffer, offset: 0 });
  return [from, from + buffer.bytes];
}

function fail(): never {
  throw new Error("There is no engine.");
}
