import { PareError } from "@pare/runtime/format";
import type { Call, LayerTensor, Network } from "./layers-model.js";

/** [layer, call, output, …] for each; a single one may stand by itself. */
export function tensorsOf(listed: unknown, owner: string, file: string): readonly LayerTensor[] {
  if (!Array.isArray(listed))
    throw invalidLayers(file, owner, `${JSON.stringify(owner)} has no list of what it reads`);
  const each: readonly unknown[] = typeof listed[0] === "string" ? [listed] : listed;
  return each.map((one) => {
    const [layer, call, output]: readonly unknown[] = Array.isArray(one) ? one : [];
    if (typeof layer !== "string" || !isIndex(call) || !isIndex(output))
      throw invalidLayers(
        file,
        owner,
        `What ${JSON.stringify(owner)} reads is not named by layer, call and output`,
      );
    return { layer, call, output };
  });
}

/**
 * A model within a model was called once when it was built, which files do not list. Most writers count that call, as
 * number 0, and nobody reads it; where somebody reads number 0, it is the first that is listed.
 */
export function countedFromZero(network: Network): Network {
  const all = [...network.calls.values()].flat();
  const read = [...all.flatMap(({ inputs }) => inputs), ...network.outputs];
  const zero = new Set(read.filter(({ call }) => call === 0).map(({ layer }) => layer));
  const less = (tensor: LayerTensor): LayerTensor =>
    network.layers.get(tensor.layer)?.network === undefined || zero.has(tensor.layer)
      ? tensor
      : { ...tensor, call: tensor.call - 1 };
  const calls = [...network.calls].map(([name, list]): [string, readonly Call[]] => [
    name,
    list.map(({ layer, inputs }) => ({ layer, inputs: inputs.map(less) })),
  ]);
  return { ...network, calls: new Map(calls), outputs: network.outputs.map(less) };
}

function isIndex(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

export function invalidLayers(file: string, where: string, what: string): PareError {
  return new PareError("MODEL_INVALID", `${what}, in ${file}.`, { where });
}
