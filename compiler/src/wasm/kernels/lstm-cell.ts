import { f32x4, load } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { eachVector, storeTail } from "./across-lanes.js";
import { floatBytes, type Kernel, laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { emitUnary, evaluateUnary, type Unary } from "./unary.js";

/** What a step of an LSTM makes of its gates. */
export interface LstmCellOptions {
  /** Batch items: steps of gates, cell before, cell after, hidden. */
  readonly batch: readonly Axis[];
  readonly hidden: number;
  /** Before the first step there may be no cell: it is 0. */
  readonly hasCell: boolean;
  /** σ of three gates, φ of the fourth, ψ of the cell. */
  readonly gate: Unary;
  readonly candidate: Unary;
  readonly shown: Unary;
}

/**
 * c′ = σ(f)·c + σ(i)·φ(g), h′ = σ(o)·ψ(c′). Gates lie one after the other, each from a whole vector on: i, o, f, g.
 * Loops: batch › vectors of units. Parameters: gates, cell before, cell after, hidden.
 */
export const lstmCell: Kernel<LstmCellOptions> = {
  name: "lstm-cell",
  emit({ batch, hidden, hasCell, gate, candidate, shown }, { fused }) {
    const f = new FunctionBuilder(4);
    const gates = f.parameter(0);
    const [before, after, result] = [f.parameter(1), f.parameter(2), f.parameter(3)];
    const [i, o, forget, g] = [f.local("v128"), f.local("v128"), f.local("v128"), f.local("v128")];
    const gateBytes = vectorsOf(hidden) * vectorBytes;
    nest(f, batch, f.parameters, () =>
      eachVector(f, hidden, f.parameters, (offset, tail) => {
        f.set(i, load(gates, offset));
        emitUnary(f, i, gate, fused);
        f.set(g, load(gates, offset + 3 * gateBytes));
        emitUnary(f, g, candidate, fused);
        f.set(g, f32x4.multiply(g, i));
        if (hasCell) {
          f.set(forget, load(gates, offset + 2 * gateBytes));
          emitUnary(f, forget, gate, fused);
          f.set(g, f32x4.add(f32x4.multiply(forget, load(before, offset)), g));
        }
        storeTail(f, after, offset, g, tail, false);
        f.set(o, load(gates, offset + gateBytes));
        emitUnary(f, o, gate, fused);
        emitUnary(f, g, shown, fused);
        f.set(o, f32x4.multiply(o, g));
        storeTail(f, result, offset, o, tail, false);
      }),
    );
    return f;
  },

  reference({ batch, hidden, hasCell, ...functions }, { floats: memory }, at) {
    walk(batch, at, (pointers) => {
      const [gates = 0, before = 0, after = 0, result = 0] = pointers.map((p) => p / floatBytes);
      const width = vectorsOf(hidden) * laneCount;
      for (let unit = 0; unit < hidden; unit += 1) {
        const gate = (index: number, unary = functions.gate): number =>
          evaluateUnary(memory[gates + index * width + unit] ?? 0, unary);
        const old = hasCell ? gate(2) * (memory[before + unit] ?? 0) : 0;
        const cell = old + gate(0) * gate(3, functions.candidate);
        memory[after + unit] = cell;
        memory[result + unit] = gate(1) * evaluateUnary(cell, functions.shown);
      }
    });
  },
};
