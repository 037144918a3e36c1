import { f32x4, load } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { eachVector, storeTail } from "./across-lanes.js";
import { floatBytes, type Kernel, laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { emitUnary, sigmoid } from "./unary.js";

/** What a step of an LSTM makes of its gates. */
export interface LstmCellOptions {
  /** Batch items: steps of gates, cell before, cell after, hidden. */
  readonly batch: readonly Axis[];
  readonly hidden: number;
  /** Before the first step there may be no cell: it is 0. */
  readonly hasCell: boolean;
}

/**
 * c′ = σ(f)·c + σ(i)·tanh(g), h′ = σ(o)·tanh(c′). Gates lie one after the other, each from a whole vector on: i, o, f, g.
 * Loops: batch › vectors of units. Parameters: gates, cell before, cell after, hidden.
 */
export const lstmCell: Kernel<LstmCellOptions> = {
  name: "lstm-cell",
  emit({ batch, hidden, hasCell }) {
    const f = new FunctionBuilder(4);
    const gates = f.parameter(0);
    const [before, after, result] = [f.parameter(1), f.parameter(2), f.parameter(3)];
    const [i, o, forget, g] = [f.local("v128"), f.local("v128"), f.local("v128"), f.local("v128")];
    const gateBytes = vectorsOf(hidden) * vectorBytes;
    nest(f, batch, f.parameters, () =>
      eachVector(f, hidden, f.parameters, (offset, tail) => {
        f.set(i, load(gates, offset));
        emitUnary(f, i, { kind: "sigmoid" });
        f.set(g, load(gates, offset + 3 * gateBytes));
        emitUnary(f, g, { kind: "tanh" });
        f.set(g, f32x4.multiply(g, i));
        if (hasCell) {
          f.set(forget, load(gates, offset + 2 * gateBytes));
          emitUnary(f, forget, { kind: "sigmoid" });
          f.set(g, f32x4.add(f32x4.multiply(forget, load(before, offset)), g));
        }
        storeTail(f, after, offset, g, tail, false);
        f.set(o, load(gates, offset + gateBytes));
        emitUnary(f, o, { kind: "sigmoid" });
        emitUnary(f, g, { kind: "tanh" });
        f.set(o, f32x4.multiply(o, g));
        storeTail(f, result, offset, o, tail, false);
      }),
    );
    return f;
  },

  reference({ batch, hidden, hasCell }, { floats: memory }, at) {
    walk(batch, at, (pointers) => {
      const [gates = 0, before = 0, after = 0, result = 0] = pointers.map((p) => p / floatBytes);
      const width = vectorsOf(hidden) * laneCount;
      for (let unit = 0; unit < hidden; unit += 1) {
        const gate = (index: number): number => memory[gates + index * width + unit] ?? 0;
        const old = hasCell ? sigmoid(gate(2)) * (memory[before + unit] ?? 0) : 0;
        const cell = old + sigmoid(gate(0)) * Math.tanh(gate(3));
        memory[after + unit] = cell;
        memory[result + unit] = sigmoid(gate(1)) * Math.tanh(cell);
      }
    });
  },
};
