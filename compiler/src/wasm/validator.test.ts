import { expect, it } from "vitest";
import wabt from "wabt";
import { attribute, type Graph } from "../ir/index.js";
import { graphOf } from "../rules/rule-case.test.support.js";
import { compileToWasm, planOf } from "./compile.js";
import { emitModule } from "./emit.js";
import { engines } from "./engine.js";
import { planMemory } from "./plan/memory-plan.js";
import { models, openModel } from "./run-model.test.support.js";

const { parseWat, readWasm } = await wabt();
const features = { simd: true, relaxed_simd: true, bulk_memory: true, mutable_globals: true };

/** What someone else's validator, of WebAssembly's own toolkit, says of a module: nothing where all is right. */
function faultOf(bytes: Uint8Array, relaxed = true): string | undefined {
  try {
    const module = readWasm(bytes, { ...features, relaxed_simd: relaxed });
    try {
      module.validate();
    } finally {
      module.destroy();
    }
    return undefined;
  } catch (error) {
    return String(error);
  }
}

const names = ["latency/mnist", "latency/kws-dscnn", "latency/enc-64x128", "blazeface-front"];

it.each(names)(
  "finds nothing wrong with the modules of %s, and relaxed instructions in the second alone",
  async (name) => {
    const graph = await openModel(models(name));
    const { simd, relaxed } = await compileToWasm(graph);
    expect(faultOf(simd, false)).toBeUndefined();
    expect(relaxed && faultOf(relaxed)).toBeUndefined();
    expect(relaxed && faultOf(relaxed, false)).toMatch(/unexpected opcode: 0xfd 0x8/);
  },
);

it("finds nothing wrong with assertion builds", async () => {
  const plan = await planOf(convolution());
  for (const engine of engines)
    expect(
      faultOf(emitModule(plan, planMemory(plan), engine, "inside", { asserted: true })),
    ).toBeUndefined();
});

it("finds what is wrong", async () => {
  const { simd } = await compileToWasm(convolution());
  // An operand of the wrong type, and a module that ends early.
  const parsed = parseWat("wrong.wat", "(module (func (result i32) (f32.const 1)))");
  expect(() => parsed.validate()).toThrow(/type mismatch/);
  parsed.destroy();
  expect(faultOf(simd.slice(0, -3))).toMatch(/readWasm failed/);
});

function convolution(): Graph {
  return graphOf({ x: ["float32", 1, 3, 8, 8] }, (input, b) => ({
    y: b.add("Conv", [input("x"), b.weights(6, 3, 3, 3)], { pads: attribute.ints([1, 1, 1, 1]) }),
  }));
}
