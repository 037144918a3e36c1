import { f32x4, load } from "../encode/expression.js";
import { FunctionBuilder } from "../encode/function-builder.js";
import { eachVector, storeTail } from "./across-lanes.js";
import { floatBytes, type Kernel, laneCount, vectorBytes, vectorsOf } from "./kernel.js";
import { type Axis, nest, walk } from "./nest.js";
import { emitUnary, evaluateUnary, type Unary } from "./unary.js";

/** What a step of a GRU makes of its gates. */
export interface GruCellOptions {
  /** Batch items: steps of the input's gates, the state's gates, state before, state after. */
  readonly batch: readonly Axis[];
  readonly hidden: number;
  /** The reset gate was not applied to the state before its product: it is applied to what that gave. */
  readonly resetsProduct: boolean;
  /** σ of two gates, φ of the third. */
  readonly gate: Unary;
  readonly candidate: Unary;
}

/**
 * z = σ(zₓ + zₕ), r = σ(rₓ + rₕ), n = φ(nₓ + r·nₕ), h′ = n + z·(h − n); n = φ(nₓ + nₕ) where the state was reset before.
 * Gates lie one after the other, each from a whole vector on: z, r, n. Loops: batch › vectors of units.
 * Parameters: the input's gates, the state's gates, state before, state after.
 */
export const gruCell: Kernel<GruCellOptions> = {
  name: "gru-cell",
  emit({ batch, hidden, resetsProduct, gate, candidate }, { fused }) {
    const f = new FunctionBuilder(4);
    const [ofInput, ofState] = [f.parameter(0), f.parameter(1)];
    const [before, after] = [f.parameter(2), f.parameter(3)];
    const [z, r, n] = [f.local("v128"), f.local("v128"), f.local("v128")];
    const gateBytes = vectorsOf(hidden) * vectorBytes;
    const { add, subtract, multiply } = f32x4;
    nest(f, batch, f.parameters, () =>
      eachVector(f, hidden, f.parameters, (offset, tail) => {
        f.set(z, add(load(ofInput, offset), load(ofState, offset)));
        emitUnary(f, z, gate, fused);
        f.set(n, load(ofState, offset + 2 * gateBytes));
        if (resetsProduct) {
          f.set(r, add(load(ofInput, offset + gateBytes), load(ofState, offset + gateBytes)));
          emitUnary(f, r, gate, fused);
          f.set(n, multiply(n, r));
        }
        f.set(n, add(n, load(ofInput, offset + 2 * gateBytes)));
        emitUnary(f, n, candidate, fused);
        f.set(n, add(n, multiply(z, subtract(load(before, offset), n))));
        storeTail(f, after, offset, n, tail, false);
      }),
    );
    return f;
  },

  reference({ batch, hidden, resetsProduct, gate, candidate }, { floats: memory }, at) {
    walk(batch, at, (pointers) => {
      const [ofInput = 0, ofState = 0, before = 0, after = 0] = pointers.map((p) => p / floatBytes);
      const width = vectorsOf(hidden) * laneCount;
      for (let unit = 0; unit < hidden; unit += 1) {
        const [x, h] = [ofInput, ofState].map((start) =>
          [0, 1, 2].map((index) => memory[start + index * width + unit] ?? 0),
        );
        const [zx = 0, rx = 0, nx = 0] = x ?? [];
        const [zh = 0, rh = 0, nh = 0] = h ?? [];
        const z = evaluateUnary(zx + zh, gate);
        const reset = resetsProduct ? evaluateUnary(rx + rh, gate) * nh : nh;
        const n = evaluateUnary(nx + reset, candidate);
        memory[after + unit] = n + z * ((memory[before + unit] ?? 0) - n);
      }
    });
  },
};
