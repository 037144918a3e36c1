import {
  type Dtype,
  describeValue,
  elementCount,
  numbersOf,
  PareError,
  type Tensor,
  type TypedArray,
  type ValueInfo,
  visibleLine,
} from "@pare/runtime/format";
import type { RawSample, RawSamples } from "./raw-sample.js";

/** Names that are said of arrays that are not read. */
const mostNamed = 8;

/** An array whose first axis counts samples. */
export interface NamedArray {
  readonly type: Dtype;
  readonly dims: readonly number[];
  row(index: number): Promise<TypedArray | readonly string[]>;
}

export function arrayInMemory(tensor: Tensor): NamedArray {
  const { type, dims, data } = tensor;
  const size = elementCount(dims.slice(1));
  return { type, dims, row: async (index) => data.slice(index * size, (index + 1) * size) };
}

/**
 * Arrays named as the model's inputs, with `label`, and where there are such, `id` and `group`. An array of the
 * input's rank holds one sample per row, with a batch of one; an array of one axis more holds whole inputs.
 * @param names of all arrays that there are, those that were not read too
 * @throws PareError DATA_MISMATCH for a missing array or another number of rows
 */
export function samplesOfArrays(
  arrays: ReadonlyMap<string, NamedArray>,
  inputs: readonly ValueInfo[],
  where: string,
  names: readonly string[] = [...arrays.keys()],
): RawSamples {
  const feeds = inputs.map((info) => ({
    info,
    array: arrayFor(info, arrays, inputs, where, names),
  }));
  const count = feeds[0]?.array.dims[0] ?? 0;
  const extras = { label: arrays.get("label"), id: arrays.get("id"), group: arrays.get("group") };
  const all = [
    ...feeds.map(({ info, array }) => [info.name, array] as const),
    ...Object.entries(extras),
  ];
  for (const [name, array] of all) {
    if (array !== undefined && elementCount(array.dims) === 0 && count > 0) {
      throw new PareError(
        "DATA_INVALID",
        `In ${where}, "${name}" has ${count} rows of no values, [${array.dims.join(", ")}].`,
        { where: `${where}, "${name}"`, hint: "Save arrays whose other axes are not 0." },
      );
    }
    if (array !== undefined && array.dims[0] !== count) {
      throw new PareError(
        "DATA_MISMATCH",
        `In ${where}, "${name}" has ${array.dims[0] ?? "no"} rows, but "${feeds[0]?.info.name}" has ${count}.`,
        {
          where: `${where}, "${name}"`,
          hint: "The first axis counts samples: make all arrays equally long.",
        },
      );
    }
  }
  const unread = names.filter((name) => !all.some(([own]) => own === name));
  return {
    count,
    samples: rows(feeds, extras, count, where),
    ...(unread.length > 0 && {
      caveat: () =>
        `Not read of the data: ${unreadText(unread)}. Arrays are named as the model's inputs, and "label", "id" and "group".`,
    }),
  };
}

async function* rows(
  feeds: readonly { info: ValueInfo; array: NamedArray }[],
  extras: { readonly [K in "label" | "id" | "group"]: NamedArray | undefined },
  count: number,
  where: string,
): AsyncGenerator<RawSample> {
  for (let index = 0; index < count; index++) {
    const tensors = new Map<string, Tensor>();
    for (const { info, array } of feeds) {
      const dims = rowDims(info, array, where);
      tensors.set(info.name, { type: array.type, dims, data: await array.row(index) });
    }
    const label = extras.label && plainOf(extras.label, await extras.label.row(index));
    const [id, group] = [await textOf(extras.id, index), await textOf(extras.group, index)];
    yield {
      feeds: Object.fromEntries(tensors),
      ...(label !== undefined && { label }),
      ...(id !== undefined && { id }),
      ...(group !== undefined && { group }),
    };
  }
}

/** A file may have any number of them. */
function unreadText(names: readonly string[]): string {
  const shown = names.slice(0, mostNamed).map((name) => `"${visibleLine(name)}"`);
  const more = names.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

async function textOf(array: NamedArray | undefined, index: number): Promise<string | undefined> {
  return array === undefined ? undefined : Array.from<unknown>(await array.row(index)).join("-");
}

/** Halves as the numbers that they are, for a label has no type that would tell them from their bits. */
function plainOf({ type }: NamedArray, row: TypedArray | readonly string[]): unknown {
  const isHalf = type === "float16" || type === "bfloat16";
  const values = (isHalf && numbersOf({ type, dims: [row.length], data: row })) || row;
  if (values.length > 1) return values;
  const [value] = values;
  if (typeof value !== "bigint") return value;
  // As a number another label could be the same.
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function arrayFor(
  info: ValueInfo,
  arrays: ReadonlyMap<string, NamedArray>,
  inputs: readonly ValueInfo[],
  where: string,
  names: readonly string[],
): NamedArray {
  const array = arrays.get(info.name);
  if (array === undefined) {
    throw new PareError(
      "DATA_MISMATCH",
      `${where} has no array "${info.name}"; it has ${names.map((name) => `"${name}"`).join(", ") || "none"}.`,
      {
        where,
        hint: `Name the arrays as the inputs: ${inputs.map((input) => `"${input.name}" (${describeValue(input)})`).join(", ")}.`,
      },
    );
  }
  if (array.type !== info.type) {
    throw new PareError(
      "DATA_MISMATCH",
      `In ${where}, "${info.name}" is ${array.type}, but the model takes ${describeValue(info)}.`,
      {
        where: `${where}, "${info.name}"`,
        hint: `Save it as ${info.type}: array.astype(numpy.${info.type}).`,
      },
    );
  }
  rowDims(info, array, where);
  return array;
}

function rowDims(info: ValueInfo, array: NamedArray, where: string): readonly number[] {
  const rest = array.dims.slice(1);
  const extra = array.dims.length - info.dims.length;
  if (array.dims.length > 0 && (extra === 0 || info.dims.length === 0)) return [1, ...rest];
  if (extra === 1) return rest;
  throw new PareError(
    "DATA_MISMATCH",
    `In ${where}, "${info.name}" has dims [${array.dims.join(", ")}], but the model takes ${describeValue(info)}.`,
    {
      where: `${where}, "${info.name}"`,
      hint: "The first axis counts samples; the others are those of the input.",
    },
  );
}
