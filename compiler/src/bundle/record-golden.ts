import {
  type Arithmetic,
  arithmeticOf,
  artifactIdentity,
  type Golden,
  type GoldenInput,
  goldenFeeds,
  isPareError,
  probeGolden,
  type RunTensors,
  type TargetName,
  type Tensor,
  type Tensors,
  type VariantEntry,
} from "@pare/runtime/format";
import { type OptimizedVariant, type TargetDevice, variantId } from "../search/request.js";
import { findTarget } from "../targets/index.js";
import { loadableOn } from "../targets/loadable.js";

export interface RecordedGolden {
  readonly golden: Golden;
  /** By variant id. */
  readonly tolerances: Readonly<Record<string, VariantEntry["tolerance"]>>;
}

/** Of the largest output: what another device of the same kind may differ by. */
const allowances: Readonly<Record<Arithmetic, number>> = {
  float32: 1e-3,
  float16: 2e-2,
  integer: 5e-2,
};

/** Inputs are drawn anew so often where a variant gives nothing. */
const mostAttempts = 6;
const anotherSeed = 1000;

/** A variant's answers on one engine, and how far another engine's on the same file are from them. */
interface Answered {
  readonly identity: string;
  readonly on: TargetName;
  readonly answers: Tensors;
  readonly apart: number;
}

/**
 * Runs each variant on its own target with inputs that every device can make for itself, and writes down probed
 * values. The tolerance follows from the precision, and from how far two engines here are apart on the same file. What
 * a target answered last is remembered: a bundle that is written again runs only the variants that are new.
 */
export class GoldenRecorder {
  readonly #devices: readonly TargetDevice[];
  readonly #seed: number;
  #inputs: readonly GoldenInput[];
  #attempts = 0;
  readonly #answered = new Map<TargetName, Answered>();

  /** @param inputs with concrete dims */
  constructor(devices: readonly TargetDevice[], inputs: readonly GoldenInput[], seed: number) {
    this.#devices = devices;
    this.#inputs = inputs;
    this.#seed = seed;
  }

  /**
   * @param provisional while the search goes on: an emulated GPU, which takes seconds to load a model, is not asked,
   *   the engine that stands in for it is
   * @throws PareError ENGINE, ENGINE_CRASHED, NO_MEMORY
   */
  async record(
    variants: readonly OptimizedVariant[],
    provisional: boolean,
  ): Promise<RecordedGolden> {
    for (;;) {
      try {
        return await this.#recordOnce(variants, provisional);
      } catch (error) {
        // What is found in noise differs from noise to noise: a detector may find nothing in one.
        this.#attempts += 1;
        if (!isPareError(error) || error.code !== "GOLDEN" || this.#attempts >= mostAttempts)
          throw error;
        this.#inputs = this.#inputs.map((input) => ({ ...input, seed: input.seed + anotherSeed }));
        this.#answered.clear();
      }
    }
  }

  async #recordOnce(
    variants: readonly OptimizedVariant[],
    provisional: boolean,
  ): Promise<RecordedGolden> {
    const runs = new Map<string, RunTensors>();
    const tolerances = new Map<string, VariantEntry["tolerance"]>();
    for (const variant of variants) {
      const own = this.#device(variant.target);
      if (own === undefined) continue;
      const standIn = provisional && own.standIn !== null ? this.#device(own.standIn) : undefined;
      const { answers, apart } = await this.#ask(variant, standIn ?? own);
      runs.set(variantId(variant), async () => answers);
      const fraction = allowances[arithmeticOf[variant.precision]];
      const absolute = Math.max(fraction * largest(answers), 3 * apart, 1e-6);
      tolerances.set(variantId(variant), {
        absolute: Number(absolute.toPrecision(3)),
        relative: fraction,
      });
    }
    return {
      golden: await probeGolden([this.#inputs], runs, { seed: this.#seed }),
      tolerances: Object.fromEntries(tolerances),
    };
  }

  #device(target: TargetName): TargetDevice | undefined {
    return this.#devices.find((device) => device.target === target);
  }

  async #ask(variant: OptimizedVariant, asked: TargetDevice): Promise<Answered> {
    const { target } = variant;
    const identity = await artifactIdentity(variant.artifact);
    const known = this.#answered.get(target);
    if (known?.identity === identity && known.on === asked.target) return known;
    const answers = await this.#run(variant, asked);
    const other = asked.target === "cpu" ? undefined : this.#device("cpu");
    const apart =
      other === undefined
        ? 0
        : await this.#run(variant, other).then(
            (second) => difference(answers, second),
            () => 0,
          );
    const answered = { identity, on: asked.target, answers, apart };
    this.#answered.set(target, answered);
    return answered;
  }

  async #run(
    { artifact, graph }: OptimizedVariant,
    { target, executor }: TargetDevice,
  ): Promise<Tensors> {
    const session = await executor.load(
      await loadableOn(findTarget(target), artifact, () => graph),
    );
    try {
      return await session.run(goldenFeeds(this.#inputs));
    } finally {
      await session.dispose();
    }
  }
}

function numbersOf(tensor: Tensor | undefined): ArrayLike<number> | null {
  return tensor !== undefined &&
    (tensor.data instanceof Float32Array || tensor.data instanceof Float64Array)
    ? tensor.data
    : null;
}

function largest(outputs: Tensors): number {
  let most = 0;
  for (const tensor of Object.values(outputs)) {
    const numbers = numbersOf(tensor) ?? [];
    for (let index = 0; index < numbers.length; index += 1) {
      const size = Math.abs(numbers[index] ?? 0);
      if (Number.isFinite(size) && size > most) most = size;
    }
  }
  return most;
}

function difference(a: Tensors, b: Tensors): number {
  let most = 0;
  for (const [name, tensor] of Object.entries(a)) {
    const first = numbersOf(tensor);
    const second = numbersOf(b[name]);
    if (first === null || second === null || first.length !== second.length) continue;
    for (let index = 0; index < first.length; index += 1) {
      const apart = Math.abs((first[index] ?? 0) - (second[index] ?? 0));
      if (apart > most) most = apart;
    }
  }
  return most;
}
