import {
  type Arithmetic,
  arithmeticOf,
  artifactIdentity,
  type Drawn,
  type Golden,
  type GoldenInput,
  goldenFeeds,
  goldenTooLong,
  isFloat,
  isPareError,
  numbersOf,
  PareError,
  probeGolden,
  type RunTensors,
  type TargetName,
  type Tensor,
  type Tensors,
  type VariantEntry,
} from "@pare/runtime/format";
import { type OptimizedVariant, type TargetDevice, variantId } from "../search/request.js";
import { drawsNumbers } from "../analysis/random-nodes.js";
import { findTarget } from "../targets/index.js";
import { loadableOn } from "../targets/loadable.js";

export interface RecordedGolden {
  readonly golden: Golden;
  /** By variant id. */
  readonly tolerances: Readonly<Record<string, VariantEntry["tolerance"]>>;
}

/** Of an output's largest value: what another device of the same kind may differ by. */
const allowances: Readonly<Record<Arithmetic, number>> = {
  float32: 1e-3,
  float16: 2e-2,
  integer: 5e-2,
};

/** Inputs are drawn anew so often where a variant gives nothing, or engines do not give as much. */
const mostAttempts = 6;
const anotherSeed = 1000;

/** What is run, and what it says where a target does not take it as it is. */
type File = Pick<OptimizedVariant, "artifact" | "graph">;

/** What a file answers, by case, and what of that is drawn at random. */
interface Answered {
  readonly answers: readonly Tensors[];
  readonly drawn: Drawn;
}

/** Of one variant. */
interface Recorded extends Answered {
  readonly id: string;
  readonly tolerance: VariantEntry["tolerance"];
}

/**
 * Runs each variant on its own target with inputs that every device can make for itself, and writes down probed
 * values. An output's tolerance follows from the precision, and from how far two engines here are apart on the same file, and
 * the file and the float model. What
 * was answered for the bundle before is remembered: one that is written again runs only the variants that are new.
 */
export class GoldenRecorder {
  readonly #devices: readonly TargetDevice[];
  readonly #seed: number;
  readonly #given: readonly (readonly GoldenInput[])[];
  #cases: readonly (readonly GoldenInput[])[];
  #attempts = 0;
  #isEmpty = false;
  /** By target, file and case. */
  #answered: ReadonlyMap<string, Promise<Answered>> = new Map();

  /**
   * @param inputs with concrete dims
   * @param others of other dims, each a case of its own
   */
  constructor(
    devices: readonly TargetDevice[],
    inputs: readonly GoldenInput[],
    seed: number,
    others: readonly (readonly GoldenInput[])[] = [],
  ) {
    this.#devices = devices;
    this.#given = [inputs, ...others];
    this.#cases = this.#given;
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
        this.#attempts += 1;
        const isOfInputs =
          isPareError(error) && error.code === "GOLDEN" && error.where !== goldenTooLong;
        if (!isOfInputs || this.#attempts >= mostAttempts) throw error;
        this.#cases = this.#given.map((inputs) =>
          inputs.map((input) => redrawn(input, this.#attempts)),
        );
        this.#answered = new Map();
      }
    }
  }

  async #recordOnce(
    variants: readonly OptimizedVariant[],
    provisional: boolean,
  ): Promise<RecordedGolden> {
    const asked = new Map<string, Promise<Answered>>();
    const answersOf = async (file: File, device: TargetDevice): Promise<Answered> => {
      const key = `${device.target} ${await artifactIdentity(file.artifact)}`;
      const answers = asked.get(key) ?? this.#answered.get(key) ?? this.#run(file, device);
      asked.set(key, answers);
      return answers;
    };
    const record = async (variant: OptimizedVariant): Promise<readonly Recorded[]> => {
      const own = this.#device(variant.target);
      if (own === undefined) return [];
      const standIn = provisional && own.standIn !== null ? this.#device(own.standIn) : undefined;
      const device = standIn ?? own;
      const { artifact, reference, graph, referenceGraph, precision } = variant;
      const other = this.#device("cpu") ?? device;
      const [{ answers, drawn }, others, floats] = await Promise.all([
        answersOf({ artifact, graph }, device),
        orNothing(answersOf({ artifact, graph }, other)),
        orNothing(answersOf({ artifact: reference, graph: referenceGraph }, other)),
      ]);
      // What lies at a threshold is found on one engine, or by one file, and not on the other: so it may be on another device.
      const isSteady = [others, floats].every((ones) => answers.every(isAsMany(ones, drawn)));
      if (!isSteady && !this.#isLast)
        throw new PareError("GOLDEN", "Engines find other numbers of results in the golden input.");
      const relative = allowances[arithmeticOf[precision]];
      const outputs = new Map<string, number>();
      for (const [at, own] of answers.entries()) {
        for (const [name, answer] of Object.entries(own)) {
          if (drawn.has(name)) continue;
          const [other, float] = [others[at]?.[name], floats[at]?.[name]];
          // What rounding its weights moved, rounding its sums on another device may move too.
          const apart = 3 * Math.max(difference(answer, other), difference(answer, float));
          const most = Math.max(relative * largest(answer), apart, 1e-6);
          outputs.set(name, Math.max(outputs.get(name) ?? 0, Number(most.toPrecision(3))));
        }
      }
      const absolute = Math.max(1e-6, ...outputs.values());
      const tolerance = { absolute, relative, outputs: Object.fromEntries(outputs) };
      return [{ id: variantId(variant), answers, drawn, tolerance }];
    };
    // Side by side: nothing is timed here.
    const recorded = (await Promise.all(variants.map(record))).flat();
    this.#answered = asked;
    const runs = new Map(
      recorded.map(({ id, answers }): [string, RunTensors] => {
        const bySizes = new Map(this.#cases.map((inputs, at) => [sizesOf(inputs), answers[at]]));
        return [
          id,
          async (feeds) =>
            bySizes.get(
              sizesOf(Object.entries(feeds).map(([name, { dims }]) => ({ name, dims }))),
            ) ?? {},
        ];
      }),
    );
    const golden = await probeGolden(this.#cases, runs, {
      seed: this.#seed,
      mayBeEmpty: this.#isLast,
      drawn: joined(recorded.map(({ drawn }) => drawn)),
    });
    const held = golden.cases.flatMap(({ outputs }) => outputs);
    this.#isEmpty = held.length > 0 && held.every(({ dims }) => dims.includes(0));
    return {
      golden,
      tolerances: Object.fromEntries(recorded.map(({ id, tolerance }) => [id, tolerance])),
    };
  }

  /** Whether what was recorded last holds devices to finding nothing alone. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** A detector may find nothing in any noise: then that it finds nothing is what other devices are held to. */
  get #isLast(): boolean {
    return this.#attempts >= mostAttempts - 1;
  }

  #device(target: TargetName): TargetDevice | undefined {
    return this.#devices.find((device) => device.target === target);
  }

  async #run({ artifact, graph }: File, { target, executor }: TargetDevice): Promise<Answered> {
    const session = await executor.load(
      await loadableOn(findTarget(target), artifact, () => graph),
    );
    try {
      const answers: Tensors[] = [];
      const drawn: Drawn[] = [];
      for (const inputs of this.#cases) {
        const answer = await session.run(goldenFeeds(inputs));
        answers.push(answer);
        if (drawsNumbers(graph))
          drawn.push(differing(answer, await session.run(goldenFeeds(inputs))));
      }
      return { answers, drawn: joined(drawn) };
    } finally {
      await session.dispose();
    }
  }
}

/**
 * Other noise: what is found in one is not found in another. Every other time floats are above 0, since a logarithm or a root
 * of others is no number.
 */
function redrawn(input: GoldenInput, attempt: number): GoldenInput {
  const [low, high] = input.range;
  const isAbove = isFloat(input.type) && attempt % 2 === 1;
  const range = isAbove ? ([0, high - low] as const) : input.range;
  return { ...input, seed: input.seed + attempt * anotherSeed, range };
}

function orNothing(answered: Promise<Answered>): Promise<readonly Tensors[]> {
  return answered.then(
    ({ answers }) => answers,
    () => [],
  );
}

/** What of outputs another run of the same engine gives otherwise. */
function differing(first: Tensors, second: Tensors): Drawn {
  const drawn = new Map<string, "values" | "dims">();
  for (const [name, { dims, data }] of Object.entries(first)) {
    const other = second[name];
    if (other === undefined || other.dims.join() !== dims.join()) drawn.set(name, "dims");
    else if (!data.every((value, at) => Object.is(value, other.data[at])))
      drawn.set(name, "values");
  }
  return drawn;
}

/** Of several runs: where dims differ in one, they are not known. */
function joined(all: readonly Drawn[]): Drawn {
  const names = all.flatMap((drawn) => [...drawn]);
  return new Map([...names, ...names.filter(([, what]) => what === "dims")]);
}

/** Are outputs of the same dims as those that others give? */
function isAsMany(others: readonly Tensors[], drawn: Drawn): (own: Tensors, at: number) => boolean {
  return (own, at) =>
    Object.entries(own).every(([name, { dims }]) => {
      const other = others[at]?.[name];
      const isFree = other === undefined || drawn.has(name);
      return isFree || other.dims.join() === dims.join();
    });
}

/** By which cases can be told apart. Feeds come in an order of their own where names are integers. */
function sizesOf(
  inputs: readonly { readonly name: string; readonly dims: readonly number[] }[],
): string {
  return JSON.stringify(inputs.map(({ name, dims }) => [name, dims] as const).toSorted(byName));
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

/** Null for what is no float: integers have no rounding that devices differ in. */
function floatsOf(tensor: Tensor | undefined): ArrayLike<number> | null {
  return tensor !== undefined && isFloat(tensor.type) ? numbersOf(tensor) : null;
}

function largest(tensor: Tensor): number {
  const numbers = floatsOf(tensor) ?? [];
  let most = 0;
  for (let index = 0; index < numbers.length; index += 1) {
    const size = Math.abs(numbers[index] ?? 0);
    if (Number.isFinite(size) && size > most) most = size;
  }
  return most;
}

/** 0 where they cannot be compared. */
function difference(a: Tensor, b: Tensor | undefined): number {
  const first = floatsOf(a);
  const second = floatsOf(b);
  if (first === null || second === null || first.length !== second.length) return 0;
  let most = 0;
  for (let index = 0; index < first.length; index += 1) {
    const apart = Math.abs((first[index] ?? 0) - (second[index] ?? 0));
    if (Number.isFinite(apart) && apart > most) most = apart;
  }
  return most;
}
