import {
  type Artifact,
  distanceOf,
  type Executor,
  type Tensors,
  throwIfAborted,
} from "@pare/runtime/format";
import type { Graph } from "../../ir/index.js";
import type { Examples } from "../../pipeline/examples.js";
import { findTarget } from "../../targets/index.js";
import type { State } from "../candidate.js";
import { CacheKey, type KeyPart } from "../../pipeline/cache-key.js";
import type { Kept } from "../../pipeline/services.js";
import { sensitivitySamples } from "../plan/costs.js";
import { change, type MakeServices } from "../make/make.js";
import type { StepGroup } from "../../pipeline/step.js";
import type { TargetDevice } from "../request.js";

/** A node by the name that `keepFloat.nodes` takes. */
export interface Layer {
  readonly layer: string;
  readonly op: string;
}

export interface LayerSensitivity extends Layer {
  /** ‖quantized − float‖² / ‖float‖² of the model's outputs when it alone is quantized, over all samples. */
  readonly error: number;
}

/**
 * Layers, most sensitive first. What layers do to the outputs adds up: a group that does little holds no sensitive layer.
 * So the worst group is halved, until it is a layer. Who asks for a few has a few groups tried for each.
 * @param errorOf of the model's outputs when some layers are quantized
 */
export async function* mostSensitive(
  layers: readonly Layer[],
  errorOf: (quantized: readonly Layer[]) => Promise<number>,
): AsyncGenerator<LayerSensitivity, void, undefined> {
  const groups: { readonly layers: readonly Layer[]; readonly error: number }[] = [];
  const halve = async (group: readonly Layer[]): Promise<void> => {
    const middle = Math.ceil(group.length / 2);
    for (const half of [group.slice(0, middle), group.slice(middle)])
      if (half.length > 0) groups.push({ layers: half, error: await errorOf(half) });
  };
  await halve(layers);
  while (groups.length > 0) {
    const errors = groups.map(({ error }) => error);
    const [worst] = groups.splice(errors.indexOf(Math.max(...errors)), 1);
    const [layer, ...others] = worst?.layers ?? [];
    if (worst === undefined || layer === undefined) return;
    if (others.length === 0) yield { ...layer, error: worst.error };
    else await halve(worst.layers);
  }
}

/**
 * How far outputs move when only some layers are quantized: a load and a few runs each time, because observed activations
 * are shared, and nothing where an earlier run found it out.
 */
export class LayerErrors {
  readonly #asked: LayerErrorsOf;
  #before: Promise<Before> | undefined;

  constructor(asked: LayerErrorsOf) {
    this.#asked = asked;
  }

  /** @throws PareError where the engine refuses the files, ABORTED */
  async of(quantized: readonly Layer[]): Promise<number> {
    const { services, kept } = this.#asked;
    throwIfAborted(services.signal);
    const names = quantized.map(({ layer }) => layer).toSorted();
    const key = kept && (await this.#key(names, kept.setting));
    const known = key && numberIn(await kept.cache.get(key));
    if (known !== undefined) return known;
    const error = await this.#measure(new Set(names));
    if (key) await kept.cache.put(key, new TextEncoder().encode(String(error)));
    return error;
  }

  async #key(names: readonly string[], setting: KeyPart): Promise<CacheKey> {
    const { from, keeping, layers, device, services } = this.#asked;
    const computations = await services.fingerprints.of(from.graph);
    return CacheKey.of("layer-error", {
      setting,
      engine: [device.target, device.engine],
      outputs: from.graph.main.outputs.map((value) => computations.get(value) ?? "?"),
      steps: JSON.stringify(keeping([]).steps),
      layers: layers.map(({ layer }) => layer),
      names,
    });
  }

  async #measure(names: ReadonlySet<string>): Promise<number> {
    const { from, keeping, layers, services } = this.#asked;
    const { feeds, outputs } = await (this.#before ??= this.#float());
    const others = layers.flatMap(({ layer }) => (names.has(layer) ? [] : layer));
    const { state } = await change(from, keeping(others), "mixed", services);
    return relativeError(outputs, await this.#answers(state.graph, feeds));
  }

  async #float(): Promise<Before> {
    const { from, examples } = this.#asked;
    const feeds: Tensors[] = [];
    for await (const example of examples.read()) {
      feeds.push(example.feeds);
      if (feeds.length === sensitivitySamples) break;
    }
    return { feeds, outputs: await this.#answers(from.graph, feeds) };
  }

  async #answers(graph: Graph, feeds: readonly Tensors[]): Promise<readonly Tensors[]> {
    const { device, services } = this.#asked;
    const artifact = findTarget(device.target).emit(graph, {}, services.sizes);
    return answers(device.executor, artifact, feeds);
  }
}

/** What layers are asked about. */
export interface LayerErrorsOf {
  readonly from: State;
  /** The group with the named layers left float. */
  readonly keeping: (layers: readonly string[]) => StepGroup;
  /** All that the group quantizes. */
  readonly layers: readonly Layer[];
  /** Where files are run. */
  readonly device: Pick<TargetDevice, "target" | "executor" | "engine">;
  readonly examples: Examples;
  readonly services: MakeServices;
  readonly kept?: Kept | undefined;
}

/** Some samples, and what the float model says to them. */
interface Before {
  readonly feeds: readonly Tensors[];
  readonly outputs: readonly Tensors[];
}

/** What a cache holds may be anything. */
function numberIn(bytes: Uint8Array | undefined): number | undefined {
  if (bytes === undefined || bytes.byteLength === 0) return undefined;
  const number = Number(new TextDecoder().decode(bytes));
  return Number.isNaN(number) ? undefined : number;
}

async function answers(
  executor: Executor,
  artifact: Promise<Artifact>,
  feeds: readonly Tensors[],
): Promise<readonly Tensors[]> {
  const session = await executor.load(await artifact);
  try {
    const outputs: Tensors[] = [];
    for (const feed of feeds) outputs.push(await session.run(feed));
    return outputs;
  } finally {
    await session.dispose();
  }
}

/**
 * Each output counts the same, whatever its scale: boxes in pixels must not drown scores. One that is missing or not
 * finite is as wrong as can be.
 */
function relativeError(float: readonly Tensors[], quantized: readonly Tensors[]): number {
  const sums = new Map<string, { noise: number; signal: number }>();
  for (const [index, outputs] of float.entries()) {
    for (const [name, expected] of Object.entries(outputs)) {
      const actual = quantized[index]?.[name];
      if (actual === undefined) return Infinity;
      const { noise, signal } = distanceOf(expected, actual);
      const sum = sums.get(name) ?? { noise: 0, signal: 0 };
      sums.set(name, { noise: sum.noise + noise, signal: sum.signal + signal });
    }
  }
  let total = 0;
  for (const { noise, signal } of sums.values()) total += signal > 0 ? noise / signal : noise;
  return Number.isNaN(total) ? Infinity : total;
}
