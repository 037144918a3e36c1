import { PareError, type SplitName } from "@pare/runtime/format";

/** What a split is decided by. */
export interface Splittable {
  readonly id: string;
  readonly group: string | null;
  /** Of a step it covers those before it. */
  readonly digest: string;
  /** The sequence that it is a step of: splits name that. */
  readonly sequence?: string | null;
}

/** `training` is of passes that learn; where there is none they learn from the calibration split. */
type AnySplit = SplitName | "training";

/** Indices into the samples, ascending. No sample, and no copy of one, is in two of them. */
export interface Splits extends Readonly<Record<SplitName, readonly number[]>> {
  /** Absent where nothing is declared to be for training alone. */
  readonly training?: readonly number[];
  /** By the data itself, not by chance. */
  readonly areNamed: boolean;
  /** How they came about, as a sentence. */
  readonly rule: string;
  /** What the reader of a figure should know about them. */
  readonly caveat: string | null;
}

/** What samples are for: a model is measured, or trained on most of them. */
export type SplitPurpose = "measuring" | "training";

type Shares = readonly (readonly [name: AnySplit, share: number])[];

const sharesFor: Readonly<Record<SplitPurpose, Shares>> = {
  measuring: [
    ["calibration", 0.1],
    ["validation", 0.2],
    ["test", 0.7],
  ],
  training: [
    ["training", 0.8],
    ["validation", 0.1],
    ["test", 0.1],
  ],
};
const splitNames = [
  "test",
  "validation",
  "calibration",
  "training",
] as const satisfies readonly AnySplit[];

/**
 * A tenth for calibration, two tenths for validation, seven tenths for the test, the same for the same seed; or eight
 * tenths for training, a tenth each for validation and test. Samples of one group, and samples with equal feeds, stay
 * together.
 */
export function splitBySeed(
  samples: readonly Splittable[],
  seed: number,
  purpose: SplitPurpose = "measuring",
): Splits {
  const shares = sharesFor[purpose];
  const units = shuffle(unitsOf(samples), seed);
  const sets: Record<AnySplit, number[]> = {
    calibration: [],
    validation: [],
    test: [],
    training: [],
  };
  // Large units first: what comes late has to fit into what is left.
  for (const unit of units.sort((a, b) => b.length - a.length)) {
    let [emptiest, most]: [AnySplit, number] = ["test", -Infinity];
    for (const name of splitNames) {
      const share = shares.find(([one]) => one === name)?.[1];
      const open =
        share === undefined ? -Infinity : 1 - sets[name].length / (share * samples.length);
      if (open > most) [emptiest, most] = [name, open];
    }
    // One by one: a call takes only so many arguments, and a unit may be all samples.
    for (const index of unit) sets[emptiest].push(index);
  }
  for (const name of splitNames) sets[name].sort((a, b) => a - b);
  const wanted = splitNames.filter((name) => shares.some(([one]) => one === name));
  const empty = wanted.filter((name) => sets[name].length === 0);
  const areEqual = samples.length > 1 && new Set(wholeDigests(samples)).size === 1;
  const caveat = areEqual
    ? `All ${samples.length} samples are equal: was the data filled in?`
    : empty.length === 0
      ? null
      : `There are too few independent samples (${units.length}): none are left for ${empty.join(" and ")}.`;
  const parts = shares.map(([name, share]) => `${Math.round(share * 100)} % for ${name}`);
  const rule = `By seed ${seed}: ${parts.join(", ")}; samples of a group, and equal ones, stay together.`;
  const { training, ...measured } = sets;
  const learned = purpose === "training" ? { training } : {};
  return { ...measured, ...learned, areNamed: false, rule, caveat };
}

/** Lists of indices that belong together: by group, or by equal feeds, or by a chain of both. In order of first index. */
function unitsOf(samples: readonly Splittable[]): number[][] {
  const parent = samples.map((_, index) => index);
  const rootOf = (index: number): number => {
    let root = index;
    while (parent[root] !== root) root = parent[root] ?? root;
    parent[index] = root;
    return root;
  };
  const firstWith = new Map<string, number>();
  const digests = wholeDigests(samples);
  for (const [index, { group }] of samples.entries()) {
    for (const key of [`digest ${digests[index]}`, ...(group === null ? [] : [`group ${group}`])]) {
      const first = firstWith.get(key);
      if (first === undefined) firstWith.set(key, index);
      else parent[rootOf(index)] = rootOf(first);
    }
  }
  const units = new Map<number, number[]>();
  for (const index of samples.keys()) {
    const root = rootOf(index);
    const unit = units.get(root);
    if (unit === undefined) units.set(root, [index]);
    else unit.push(index);
  }
  return [...units.values()];
}

/** By sample, the digest of all of its sequence: recordings that only begin alike, with silence, are no copies. */
function wholeDigests(samples: readonly Splittable[]): readonly string[] {
  const digests = samples.map(({ digest }) => digest);
  for (let index = samples.length - 2; index >= 0; index--) {
    const sequence = samples[index]?.sequence ?? null;
    const isFollowed = sequence !== null && samples[index + 1]?.sequence === sequence;
    if (isFollowed) digests[index] = digests[index + 1] ?? "";
  }
  return digests;
}

/** Fisher-Yates with mulberry32: the same order on every machine. */
function shuffle<T>(items: readonly T[], seed: number): T[] {
  const shuffled = [...items];
  let state = seed >>> 0;
  for (let last = shuffled.length - 1; last > 0; last--) {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    const other = Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (last + 1));
    const [a, b] = [shuffled[last], shuffled[other]];
    if (a === undefined || b === undefined) continue;
    shuffled[last] = b;
    shuffled[other] = a;
  }
  return shuffled;
}

/**
 * Splits that the data itself names, by ids: three, and `training` where it names one. Copies of test samples are left
 * out of the others.
 * @throws PareError DATA_MODULE for an unknown id, an id in two splits, or a group that straddles
 */
export function splitAsExported(
  samples: readonly Splittable[],
  exported: unknown,
  where: string,
): Splits {
  const named = new Map<string, number[]>();
  for (const [index, { id, sequence }] of samples.entries()) {
    const steps = named.get(sequence ?? id);
    if (steps === undefined) named.set(sequence ?? id, [index]);
    else steps.push(index);
  }
  const placeOf = new Map<string, AnySplit>();
  const names = splitNames.filter(
    (name) => name !== "training" || Object(exported).training !== undefined,
  );
  const sets: Record<AnySplit, number[]> = {
    calibration: [],
    validation: [],
    test: [],
    training: [],
  };
  const fail = (message: string, hint: string): never => {
    throw new PareError("DATA_MODULE", message, { where: `${where}, splits`, hint });
  };
  const groupOf = new Map<string, AnySplit>();
  for (const name of names) {
    const ids: unknown = Object(exported)[name];
    if (!Array.isArray(ids) || ids.length === 0) {
      fail(
        `\`splits.${name}\` is ${Array.isArray(ids) ? "empty" : "no list of ids"}.`,
        "Export { calibration, validation, test }, each a list of the ids of samples.",
      );
      continue;
    }
    for (const id of ids.map(String)) {
      const indexes = named.get(id);
      const known = placeOf.get(id);
      if (indexes === undefined)
        fail(
          `\`splits.${name}\` names the id "${id}", which no sample has.`,
          "Give each sample, or each sequence, an `id`, and list those.",
        );
      else if (known !== undefined) {
        fail(
          known === name
            ? `\`splits.${name}\` names "${id}" twice.`
            : `"${id}" is in both ${known} and ${name}.`,
          "Let each id be in one split, once: a sample that was searched on proves nothing.",
        );
      } else {
        placeOf.set(id, name);
        for (const index of indexes) sets[name].push(index);
        const group = samples[indexes[0] ?? 0]?.group ?? null;
        const elsewhere = group === null ? undefined : groupOf.get(group);
        if (elsewhere !== undefined && elsewhere !== name)
          fail(
            `The group "${group}" straddles ${elsewhere} and ${name}.`,
            "Put all samples of a group into one split.",
          );
        if (group !== null) groupOf.set(group, name);
      }
    }
  }
  const { training, ...kept } = withoutCopies(samples, sets, names);
  return { ...kept, ...(names.includes("training") && { training }) };
}

/** Leaves out of validation what is in the test, out of calibration what is in either, and out of training all of it. */
function withoutCopies(
  samples: readonly Splittable[],
  sets: Readonly<Record<AnySplit, readonly number[]>>,
  names: readonly AnySplit[],
): Required<Splits> {
  const taken = new Set<string>();
  const kept: Record<AnySplit, readonly number[]> = { ...sets };
  const said: string[] = [];
  const digests = wholeDigests(samples);
  const digestOf = (index: number): string => digests[index] ?? "";
  for (const name of names) {
    kept[name] = sets[name].filter((index) => !taken.has(digestOf(index))).sort((a, b) => a - b);
    const copies = sets[name].length - kept[name].length;
    if (copies > 0) said.push(`${copies} of ${name}`);
    for (const index of sets[name]) taken.add(digestOf(index));
  }
  const caveat =
    said.length === 0
      ? null
      : `Samples whose inputs equal those of a later split were left out: ${said.join(", ")}.`;
  return { ...kept, areNamed: true, rule: "As the data names them.", caveat };
}
