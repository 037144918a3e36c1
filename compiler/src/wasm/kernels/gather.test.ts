import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../cases.test.support.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { i32 } from "../encode/expression.js";
import { ModuleBuilder, pageBytes } from "../encode/module-builder.js";
import { engines } from "../engine.js";
import { gather, type GatherOptions } from "./gather.js";
import { differenceOf, operands, seed, size } from "./kernel-case.test.support.js";

it("reads and writes places that are computed as its reference does", () => {
  const problem = fc.record({
    rounds: fc.tuple(size(1, 3), size(1, 4)),
    index: fc.constantFrom("i32" as const, "i64" as const),
    sizes: fc.array(size(1, 4), { minLength: 1, maxLength: 3 }),
    inner: size(1, 3),
    unit: fc.constantFrom(1 as const, 4 as const),
    units: size(1, 40),
    direction: fc.constantFrom("read" as const, "write" as const),
    join: fc.constantFrom("none", "none", "add", "multiply", "min", "max"),
    chosen: fc.array(size(0, 99), { minLength: 36, maxLength: 36 }),
    isBackwards: fc.boolean(),
    seed,
  });
  fc.assert(
    fc.property(problem, ({ rounds, sizes, inner, units, unit, chosen, ...p }) => {
      const joins = p.join !== "none" && p.direction === "write";
      const run = joins
        ? { unit: 4 as const, units: 1, zeros: 0 }
        : { unit, units: units * (4 / unit), zeros: 0 };
      const bytes = inner * run.units * run.unit;
      const indexBytes = p.index === "i64" ? 8 : 4;
      const tupleBytes = indexBytes * sizes.length;
      let step = bytes;
      const tuple = [...sizes].reverse().map((own) => {
        const found = { size: own, step };
        step *= own;
        return found;
      });
      const [outer, rows] = rounds;
      fc.pre(step < 8000 && outer * rows * bytes < 8000);
      const options: GatherOptions = {
        axes: [
          { count: outer, steps: [rows * tupleBytes, 0, rows * bytes] },
          { count: rows, steps: [tupleBytes, 0, bytes] },
        ],
        index: p.index,
        tuple: tuple.reverse(),
        tupleStep: indexBytes,
        inner: [{ count: inner, steps: [run.units * run.unit, run.units * run.unit] }],
        run,
        direction: p.direction,
        join: joins ? p.join : "none",
      };
      const at = operands(3);
      const prepare = (integers: Int32Array): void => {
        const longs = new BigInt64Array(integers.buffer);
        for (let i = 0; i < outer * rows * sizes.length; i += 1) {
          const own = sizes[i % sizes.length] ?? 1;
          const place = ((chosen[i] ?? 0) % own) - (p.isBackwards ? own : 0);
          if (p.index === "i64") longs[(at[0] ?? 0) / 8 + i] = BigInt(place);
          else integers[(at[0] ?? 0) / 4 + i] = place;
        }
      };
      expect(differenceOf(gather, options, at, p.seed, prepare, 0)).toBeUndefined();
    }),
    { numRuns: cases(300) },
  );
});

it.each([-4n, 3n, 2n ** 32n, -(2n ** 63n)])(
  "ends the run where there is no element %s",
  (index) => {
    const module = new ModuleBuilder();
    const [engine] = engines;
    const options: GatherOptions = {
      axes: [],
      index: "i64",
      tuple: [{ size: 3, step: 4 }],
      tupleStep: 0,
      inner: [],
      run: { unit: 4, units: 1, zeros: 0 },
      direction: "read",
      join: "none",
    };
    const kernel = module.add(gather.emit(options, engine));
    const run = new FunctionBuilder(0);
    run.call(kernel, [0, 64, 128].map(i32));
    module.add(run, "run");
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module.encode(pageBytes)));
    const { memory, run: call } = instance.exports;
    if (!(memory instanceof WebAssembly.Memory) || typeof call !== "function")
      throw new Error("no");
    const longs = new BigInt64Array(memory.buffer);
    longs[0] = 2n;
    expect(() => call()).not.toThrow();
    longs[0] = index;
    expect(() => call()).toThrow(WebAssembly.RuntimeError);
  },
);
