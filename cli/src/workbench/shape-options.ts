import type { BindShapesOptions, Sizes } from "@pare/compiler";
import { PareError } from "@pare/runtime/format";
import type { Command } from "commander";
import { byName, collectPairs, type Pairs } from "../terminal/option-values.js";
import { refuse } from "../terminal/refuse.js";

export interface ShapeOptions {
  readonly shape?: Pairs;
  readonly dim?: Pairs;
  readonly const?: Pairs;
}

/**
 * `--shape`, `--dim` and `--const`, the same for every verb that runs or compiles.
 * @param dimText what `--dim` takes
 */
export function addShapeOptions(
  command: Command,
  dimText = "a free dim's size: --dim sequence=128",
): void {
  command
    .option(
      "--shape <list>",
      "an input's shape: --shape images=1x3x640x640",
      collectPairs("--shape"),
    )
    .option("--dim <list>", dimText, collectPairs("--dim"))
    .option(
      "--const <list>",
      "an input that never changes: --const sr=16000",
      collectPairs("--const"),
    );
}

/** @throws PareError ARGUMENT where one is given: a bundle's sizes are decided */
export function refuseOfBundle(options: ShapeOptions): void {
  for (const name of ["shape", "dim", "const"] as const)
    if (options[name] !== undefined)
      refuse(
        `--${name} is for models, and this is a bundle: its sizes are decided.`,
        `--${name}`,
        "Leave it out, or name the ONNX file.",
      );
}

/** Of `--dim`, where it may give a dim several sizes. */
export const severalSizes =
  "a free dim's size: --dim sequence=128, or several for aot, an entry each: --dim width=160,320";

/** What the options say, as the pass `bind-shapes` takes it. @throws PareError ARGUMENT, for several sizes of a dim too */
export function parseShapes(options: ShapeOptions): BindShapesOptions {
  const { sizes, ...shapes } = parseManyShapes(options);
  const [name] = Object.keys(sizes);
  if (name === undefined) return shapes;
  throw new PareError("ARGUMENT", `--dim ${name} has several sizes, and this command takes one.`, {
    where: "--dim",
    hint: `Write one whole number: --dim ${name}=128. Several are for optimize and inspect.`,
  });
}

/** The same, and by name the sizes of each dim that has several. @throws PareError ARGUMENT */
export function parseManyShapes(
  options: ShapeOptions,
): BindShapesOptions & { readonly sizes: Sizes } {
  const dims = new Map<string, Set<number>>();
  for (const [name, text] of options.dim ?? []) {
    const sizes = dims.get(name) ?? new Set<number>();
    for (const part of text.split(",")) sizes.add(parseSize(name, part));
    dims.set(name, sizes);
  }
  return {
    shapes: Object.fromEntries(
      [...byName(options.shape ?? [], "--shape")].map(([name, text]) => [
        name,
        parseShape(name, text),
      ]),
    ),
    ...splitDims(Object.fromEntries([...dims].map(([name, sizes]) => [name, [...sizes]]))),
    constants: Object.fromEntries(
      [...byName(options.const ?? [], "--const")].map(([name, text]) => [
        name,
        parseConstant(name, text),
      ]),
    ),
  };
}

/** Dims that have one size, and those that have several. */
export function splitDims(dims: Readonly<Record<string, number | readonly number[]>>): {
  readonly dims: Readonly<Record<string, number>>;
  readonly sizes: Sizes;
} {
  const lists = Object.entries(dims).map(([name, given]) => [name, [given].flat()] as const);
  return {
    dims: Object.fromEntries(
      lists.flatMap(([name, [size, ...others]]) =>
        size !== undefined && others.length === 0 ? [[name, size]] : [],
      ),
    ),
    sizes: Object.fromEntries(lists.filter(([, sizes]) => sizes.length > 1)),
  };
}

function parseShape(name: string, text: string): readonly number[] {
  const sizes = text === "" ? [] : text.split(/[x×]/i).map(sizeOf);
  if (sizes.every((size) => size !== undefined)) return sizes;
  throw new PareError("ARGUMENT", `"${text}" is no shape for "${name}".`, {
    where: "--shape",
    hint: `Write its sizes with x between them: --shape ${name}=1x3x224x224.`,
  });
}

function parseSize(name: string, text: string): number {
  const size = sizeOf(text);
  if (size !== undefined) return size;
  throw new PareError("ARGUMENT", `"${text}" is no size for "${name}".`, {
    where: "--dim",
    hint: `Write one whole number: --dim ${name}=128.`,
  });
}

/** 0 is one: of a decoder that has read nothing yet, say. */
function sizeOf(text: string): number | undefined {
  const size = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(size) ? size : undefined;
}

function parseConstant(name: string, text: string): number | boolean | readonly number[] {
  if (text === "true" || text === "false") return text === "true";
  // A number of nothing is 0, and nobody wrote one.
  const values = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (!values.every(Number.isFinite)) {
    throw new PareError("ARGUMENT", `"${text}" is no value for "${name}".`, {
      where: "--const",
      hint: `Write a number, true or false, or numbers with commas: --const ${name}=16000.`,
    });
  }
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}
