import { PareError } from "@pare/runtime/format";
import type { Graph, ValueId } from "../ir/index.js";
import type { Calibration, PassContext } from "../pipeline/pass.js";
import type { Observer } from "../quantize/observer.js";
import { calibrate } from "./calibrate.js";
import { Cones } from "../analysis/fingerprints.js";

interface Memory {
  readonly cones: Cones;
  readonly observers: Map<number, Observer>;
}

/** What was observed with a calibration serves every candidate that is made with it. */
const memories = new WeakMap<Calibration, Memory>();

/**
 * Observes activations on the calibration samples, those excepted that were observed before.
 * @throws PareError DATA_NOT_FOUND without calibration data, and as `calibrate`
 */
export async function observeActivations(
  graph: Graph,
  values: readonly ValueId[],
  context: PassContext,
  pass: string,
  channelAxes: ReadonlyMap<ValueId, number> = new Map(),
): Promise<ReadonlyMap<ValueId, Observer>> {
  const { calibration } = context;
  if (calibration === undefined) {
    throw new PareError(
      "DATA_NOT_FOUND",
      `${pass} measures activations, but there is no data to measure them on.`,
      {
        where: pass,
        hint: "Give data with --data, or quantize without it: quantize-dynamic, quantize-weights.",
      },
    );
  }
  const memory = memories.get(calibration) ?? {
    cones: new Cones(),
    observers: new Map<number, Observer>(),
  };
  memories.set(calibration, memory);
  const numbers = memory.cones.of(graph);
  const missing = values.filter((value) => !memory.observers.has(numbers.get(value) ?? -1));
  if (missing.length > 0) {
    const fresh = await calibrate(
      graph,
      calibration.executor,
      () => calibration.samples(),
      calibration.count,
      { values: missing, channelAxes, signal: context.signal, onProgress: context.onProgress },
    );
    for (const [value, observer] of fresh) memory.observers.set(numbers.get(value) ?? -1, observer);
  }
  return new Map(
    values.flatMap((value) => {
      const observer = memory.observers.get(numbers.get(value) ?? -1);
      return observer === undefined ? [] : [[value, observer] as const];
    }),
  );
}
