import { PareError } from "../error.js";
import { goldenFeeds, splitmix32 } from "./golden-feeds.js";
import { type RunTensors, valueAt } from "./golden-check.js";
import {
  bundleFormatVersion,
  type Golden,
  goldenMaxBytes,
  type GoldenCase,
  type GoldenInput,
  type GoldenOutput,
} from "./manifest.js";
import { bundleJson } from "./parse-runnable.js";
import { elementCount, type Tensor, type Tensors } from "../tensor/tensor.js";

/** Values recorded per output; fewer when the whole would pass 32 KB, and then of fewer outputs. */
const mostProbes = 64;

export interface ProbeOptions {
  /** Chooses the probed places. */
  readonly seed?: number;
  /** By name, outputs of which two runs give other values, or other dims: nothing is recorded of what differs. */
  readonly drawn?: Drawn;
  /** Whether outputs without elements are an answer: boxes that there are none of. */
  readonly mayBeEmpty?: boolean;
}

/** What of an output differs from run to run. */
export type Drawn = ReadonlyMap<string, "values" | "dims">;

/**
 * Records what each variant answers to each case's inputs.
 * @param variants by id, on the engine whose answers count
 * @throws PareError GOLDEN where no finite value and no text can be recorded for a variant, or 32 KB do not suffice
 */
export async function probeGolden(
  cases: readonly (readonly GoldenInput[])[],
  variants: ReadonlyMap<string, RunTensors>,
  { seed = 1, drawn = new Map(), mayBeEmpty = false }: ProbeOptions = {},
): Promise<Golden> {
  const answers: Map<string, Tensors>[] = [];
  for (const inputs of cases) {
    const byVariant = new Map<string, Tensors>();
    for (const [id, run] of variants) byVariant.set(id, await run(goldenFeeds(inputs)));
    answers.push(byVariant);
  }
  const recorded = (probes: number): readonly GoldenCase[] =>
    cases.map((inputs, index) => ({
      inputs,
      outputs: recordOutputs(answers[index] ?? new Map(), probes, seed, drawn),
    }));
  for (const fewer of shortened(recorded)) {
    const golden: Golden = { formatVersion: bundleFormatVersion, cases: fewer };
    if (new TextEncoder().encode(bundleJson(golden)).length <= goldenMaxBytes)
      return drawn.size > 0 ? golden : demandValues(golden, variants, mayBeEmpty);
  }
  const most = Math.max(...cases.map((inputs) => inputs.length));
  throw new PareError("GOLDEN", `The golden check does not fit in ${goldenMaxBytes} bytes.`, {
    where: goldenTooLong,
    hint: `It holds an entry for each of ${most} inputs: make constants of some with --const.`,
  });
}

/** Where the fault is that no other inputs mend. */
export const goldenTooLong = "golden.json";

/** The same with fewer and fewer values, and then of fewer outputs that have any, from all over the model. */
function* shortened(
  recorded: (probes: number) => readonly GoldenCase[],
): Generator<readonly GoldenCase[]> {
  for (let probes = mostProbes; probes >= 1; probes = Math.floor(probes / 2))
    yield recorded(probes);
  const last = recorded(1).map(({ inputs, outputs }) => {
    const telling = outputs.filter(({ indices }) => indices.length > 0);
    return { inputs, outputs: telling.length > 0 ? telling : outputs };
  });
  const most = last.reduce((count, { outputs }) => Math.max(count, outputs.length), 0);
  for (let every = 2; every < 2 * most; every *= 2)
    yield last.map(({ inputs, outputs }) => ({
      inputs,
      outputs: outputs.filter((_, at) => at % every === 0),
    }));
}

function recordOutputs(
  answers: ReadonlyMap<string, Tensors>,
  probes: number,
  seed: number,
  drawn: Drawn,
): GoldenOutput[] {
  const [first] = answers.values();
  const names = Object.keys(first ?? {}).filter((name) => drawn.get(name) !== "dims");
  return names.flatMap((name) =>
    [...alike(answers, name)].map(([{ type, dims }, tensors]): GoldenOutput => {
      const most = drawn.has(name) ? 0 : probes;
      const indices = chooseIndices([...tensors.values()], elementCount(dims), most, seed);
      const values = [...tensors].map(
        ([id, tensor]) => [id, indices.map((index) => rounded(valueAt(tensor, index)))] as const,
      );
      return { name, type, dims, indices, values: Object.fromEntries(values) };
    }),
  );
}

/**
 * What variants answer as one output, by variant, apart for each type and dims: where the number of results depends on the
 * values (boxes after suppression), variants differ in it. The key is the first of those that are alike.
 */
function alike(
  answers: ReadonlyMap<string, Tensors>,
  name: string,
): ReadonlyMap<Tensor, ReadonlyMap<string, Tensor>> {
  const groups = new Map<Tensor, Map<string, Tensor>>();
  for (const [id, outputs] of answers) {
    const tensor = outputs[name];
    if (tensor === undefined) continue;
    const known = [...groups].find(
      ([one]) => one.type === tensor.type && one.dims.join() === tensor.dims.join(),
    );
    if (known === undefined) groups.set(tensor, new Map([[id, tensor]]));
    else known[1].set(id, tensor);
  }
  return groups;
}

/** The largest and smallest value, which say most, and others anywhere; only where all variants are finite, or text. */
function chooseIndices(
  tensors: readonly Tensor[],
  count: number,
  probes: number,
  seed: number,
): number[] {
  const [first] = tensors;
  if (first === undefined) return [];
  const finite = (index: number): boolean =>
    tensors.every((tensor) => {
      const value = valueAt(tensor, index);
      return typeof value === "string" || Number.isFinite(value);
    });
  const chosen = new Set<number>();
  let largest = -1;
  let smallest = -1;
  for (let index = 0; index < count; index++) {
    if (!finite(index)) continue;
    if (largest < 0 || valueAt(first, index) > valueAt(first, largest)) largest = index;
    if (smallest < 0 || valueAt(first, index) < valueAt(first, smallest)) smallest = index;
    if (count <= probes) chosen.add(index);
  }
  for (const index of [largest, smallest])
    if (index >= 0 && chosen.size < probes) chosen.add(index);
  const next = splitmix32(seed);
  for (let attempt = 0; attempt < 4 * probes && chosen.size < Math.min(probes, count); attempt++) {
    const index = next() % count;
    if (finite(index)) chosen.add(index);
  }
  return [...chosen].sort((a, b) => a - b);
}

function rounded(value: number | string): number | string {
  return typeof value === "string" ? value : Number(value.toPrecision(7));
}

function demandValues(
  golden: Golden,
  variants: ReadonlyMap<string, unknown>,
  mayBeEmpty: boolean,
): Golden {
  for (const id of variants.keys()) {
    const says = golden.cases.some(({ outputs }) =>
      outputs.some(
        ({ values, dims }) =>
          (values[id]?.length ?? 0) > 0 || (mayBeEmpty && id in values && elementCount(dims) === 0),
      ),
    );
    if (!says) {
      throw new PareError("GOLDEN", `Variant ${id} gives no finite value on the golden input.`, {
        where: id,
        hint: "Does an input count or select, so that noise gives nothing? pare optimize --const k=5 makes it a constant.",
      });
    }
  }
  return golden;
}
