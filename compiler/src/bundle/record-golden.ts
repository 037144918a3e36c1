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

/** Of one variant. */
interface Recorded {
  readonly id: string;
  readonly answers: Tensors;
  readonly tolerance: VariantEntry["tolerance"];
}

/**
 * Runs each variant on its own target with inputs that every device can make for itself, and writes down probed
 * values. The tolerance follows from the precision, and from how far two engines here are apart on the same file. What
 * was answered for the bundle before is remembered: one that is written again runs only the variants that are new.
 */
export class GoldenRecorder {
  readonly #devices: readonly TargetDevice[];
  readonly #seed: number;
  #inputs: readonly GoldenInput[];
  #attempts = 0;
  /** By target and file. */
  #answered: ReadonlyMap<string, Promise<Tensors>> = new Map();

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
        this.#answered = new Map();
      }
    }
  }

  async #recordOnce(
    variants: readonly OptimizedVariant[],
    provisional: boolean,
  ): Promise<RecordedGolden> {
    const asked = new Map<string, Promise<Tensors>>();
    const answersOf = async (variant: OptimizedVariant, device: TargetDevice): Promise<Tensors> => {
      const key = `${device.target} ${await artifactIdentity(variant.artifact)}`;
      const answers = asked.get(key) ?? this.#answered.get(key) ?? this.#run(variant, device);
      asked.set(key, answers);
      return answers;
    };
    const record = async (variant: OptimizedVariant): Promise<readonly Recorded[]> => {
      const own = this.#device(variant.target);
      if (own === undefined) return [];
      const standIn = provisional && own.standIn !== null ? this.#device(own.standIn) : undefined;
      const device = standIn ?? own;
      const other = device.target === "cpu" ? undefined : this.#device("cpu");
      const [answers, others] = await Promise.all([
        answersOf(variant, device),
        other === undefined ? null : answersOf(variant, other).catch(() => null),
      ]);
      const apart = others === null ? 0 : difference(answers, others);
      const fraction = allowances[arithmeticOf[variant.precision]];
      const absolute = Math.max(fraction * largest(answers), 3 * apart, 1e-6);
      const tolerance = { absolute: Number(absolute.toPrecision(3)), relative: fraction };
      return [{ id: variantId(variant), answers, tolerance }];
    };
    // Side by side: nothing is timed here.
    const recorded = (await Promise.all(variants.map(record))).flat();
    this.#answered = asked;
    const runs = new Map(
      recorded.map(({ id, answers }): [string, RunTensors] => [id, async () => answers]),
    );
    return {
      golden: await probeGolden([this.#inputs], runs, { seed: this.#seed }),
      tolerances: Object.fromEntries(recorded.map(({ id, tolerance }) => [id, tolerance])),
    };
  }

  #device(target: TargetName): TargetDevice | undefined {
    return this.#devices.find((device) => device.target === target);
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
