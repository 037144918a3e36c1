import type { BindShapesOptions } from "@pare/compiler";
import { PareError } from "@pare/runtime/format";
import type { Command } from "commander";
import { collectPairs, type Pairs } from "../terminal/option-values.js";

export interface ShapeOptions {
  readonly shape?: Pairs;
  readonly dim?: Pairs;
  readonly const?: Pairs;
}

/** `--shape`, `--dim` and `--const`, the same for every verb that runs or compiles. */
export function addShapeOptions(command: Command): void {
  command
    .option(
      "--shape <list>",
      "an input's shape: --shape images=1x3x640x640",
      collectPairs("--shape"),
    )
    .option("--dim <list>", "a free dim's size: --dim sequence=128", collectPairs("--dim"))
    .option(
      "--const <list>",
      "an input that never changes: --const sr=16000",
      collectPairs("--const"),
    );
}

/** What the options say, as the pass `bind-shapes` takes it. @throws PareError ARGUMENT */
export function parseShapes(options: ShapeOptions): BindShapesOptions {
  return {
    shapes: Object.fromEntries(
      (options.shape ?? []).map(([name, text]) => [name, parseShape(name, text)]),
    ),
    dims: Object.fromEntries(
      onceEach(options.dim ?? []).map(([name, text]) => [name, parseSize(name, text)]),
    ),
    constants: Object.fromEntries(
      (options.const ?? []).map(([name, text]) => [name, parseConstant(name, text)]),
    ),
  };
}

function parseShape(name: string, text: string): readonly number[] {
  const sizes = text === "" ? [] : text.split(/[x×]/i).map(Number);
  if (sizes.every((size) => Number.isSafeInteger(size) && size > 0)) return sizes;
  throw new PareError("ARGUMENT", `"${text}" is no shape for "${name}".`, {
    where: "--shape",
    hint: `Write its sizes with x between them: --shape ${name}=1x3x224x224.`,
  });
}

function parseSize(name: string, text: string): number {
  const size = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(size) && size > 0) return size;
  const several = /^\d+(,\d+)+$/.test(text);
  throw new PareError(
    "ARGUMENT",
    several
      ? `--dim ${name} has several sizes, but this version measures one.`
      : `"${text}" is no size for "${name}".`,
    {
      where: "--dim",
      hint: `Write one whole number: --dim ${name}=128.`,
    },
  );
}

function onceEach(pairs: Pairs): Pairs {
  const seen = new Map(pairs);
  if (seen.size === pairs.length) return pairs;
  throw new PareError(
    "ARGUMENT",
    "--dim gives a dim several sizes, but this version measures one.",
    { where: "--dim", hint: "Give each dim one size." },
  );
}

function parseConstant(name: string, text: string): number | boolean | readonly number[] {
  if (text === "true" || text === "false") return text === "true";
  const values = text.split(",").map(Number);
  if (text.trim() === "" || !values.every(Number.isFinite)) {
    throw new PareError("ARGUMENT", `"${text}" is no value for "${name}".`, {
      where: "--const",
      hint: `Write a number, true or false, or numbers with commas: --const ${name}=16000.`,
    });
  }
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}
