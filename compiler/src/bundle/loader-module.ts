import {
  describeValue,
  dtypeArray,
  isModuleName,
  isNumeric,
  type Manifest,
  PareError,
  type ValueInfo,
  type VariantEntry,
  visibleLine,
} from "@pare/runtime/format";
import { type ModuleFacts, readFacts } from "../wasm/index.js";
import { loaderTexts } from "./loader-text.js";

type ModuleValue = ModuleFacts["inputs"][number];

/**
 * What loads a compiled module without the runtime, for pages with a strict policy, workers, workerd and audio worklets.
 * @param module the variant's first file, which says where its inputs, outputs and weights lie
 * @returns files by name
 */
export function loaderFiles(
  variant: VariantEntry,
  module: Uint8Array,
  manifest: Manifest,
): ReadonlyMap<string, string> {
  const facts = readFacts(module);
  const [plain, relaxed] = variant.files.filter(({ path }) => isModuleName(path));
  const weights = variant.files.find(({ path }) => path.endsWith(".bin"));
  if (plain === undefined) throw new PareError("INTERNAL", "A compiled variant has no module.");
  const values = [...facts.inputs, ...facts.outputs].map(({ name }) => name);
  const state = Object.entries(manifest.state ?? {}).filter((pair) =>
    pair.every((name) => values.includes(name)),
  );
  const constant = [
    ...placesOf(facts),
    ...(facts.others === undefined
      ? []
      : ["others: [", ...facts.others.flatMap((entry) => ["{", ...placesOf(entry), "},"]), "],"]),
    `state: {${state.map(([output, input]) => `${key(output)}: ${JSON.stringify(input)}`).join(", ")}},`,
    `module: ${fileOf(plain, plain.bytes)},`,
    ...(relaxed === undefined ? [] : [`relaxed: ${fileOf(relaxed, relaxed.bytes)},`]),
    ...(weights === undefined || facts.weights === undefined
      ? []
      : [`weights: ${fileOf(weights, weights.bytes, facts.weights.at)},`]),
  ];
  const hasText = [...facts.inputs, ...facts.outputs].some(({ labels }) => labels !== undefined);
  const [one, several] = hasText
    ? [loaderTexts.oneOfText, loaderTexts.severalOfText]
    : [loaderTexts.one, loaderTexts.several];
  const text = facts.others === undefined ? one : several;
  return new Map([
    ["aot-loader.js", `const model = {\n${constant.join("\n")}\n};\n${text}`],
    ["aot-loader.d.ts", loaderTypes(facts, state)],
    ["aot-workerd.js", workerdModule((relaxed ?? plain).path, weights?.path)],
    ["aot-workerd.d.ts", 'export * from "./aot-loader.js";\n'],
  ]);
}

/** A key that is a name even where it is `__proto__`. */
function key(name: string): string {
  return `[${JSON.stringify(name)}]`;
}

function placesOf({ inputs, outputs }: Pick<ModuleFacts, "inputs" | "outputs">): readonly string[] {
  return ["inputs: [", ...inputs.map(placeOf), "],", "outputs: [", ...outputs.map(placeOf), "],"];
}

function placeOf(value: ModuleValue): string {
  const { name, type, at, count, most = 1, labels } = value;
  const length = mostNumbers(value);
  const counted = count === undefined ? [] : [count, length / most];
  // Where all rows are always there, none of them is counted.
  const text =
    labels === undefined ? [] : [...(count === undefined ? [0, 0] : []), JSON.stringify(labels)];
  const places = [JSON.stringify(name), arrayOf(type), at, length, ...counted, ...text];
  return `[${places.join(", ")}],`;
}

/** How many a value has, or has room for. */
function mostNumbers({ dims, most = 1 }: ModuleValue): number {
  return dims.reduce<number>((product, size) => product * (size ?? most), 1);
}

function arrayOf(type: string): string {
  return dtypeArray[numericOf(type)].name;
}

function numericOf(type: string): keyof typeof dtypeArray {
  if (!isNumeric(type)) throw new PareError("INTERNAL", `A module has a value of ${type}.`);
  return type;
}

function fileOf(
  { path, sha256 }: VariantEntry["files"][number],
  ...more: readonly number[]
): string {
  return `[${[`"${sha256}"`, `() => new URL("./${path}", import.meta.url)`, ...more].join(", ")}]`;
}

/** For an engine that compiles nothing at run time: its modules are imported. It has relaxed SIMD, as V8 does. */
function workerdModule(module: string, weights: string | undefined): string {
  const [importing, given] =
    weights === undefined ? ["", ""] : [`import weights from "./${weights}";\n`, ", weights"];
  return `import module from "./${module}";
${importing}export { start } from "./aot-loader.js";
export const compile = async () => ({ module${given} });
`;
}

function loaderTypes(
  { inputs, outputs, others = [] }: ModuleFacts,
  state: readonly (readonly [string, string])[],
): string {
  const texts = outputs.flatMap(({ name, labels }) => (labels === undefined ? [] : [name]));
  return `${arraysOf(
    "Inputs",
    inputs,
    others.map((entry) => entry.inputs),
  )}
${arraysOf(
  "Outputs",
  outputs,
  others.map((entry) => entry.outputs),
)}
/** By output, the input that it is at the next step, as far as the bundle knows. */
interface State {${state.map(([output, input]) => `\n  readonly ${JSON.stringify(output)}: ${JSON.stringify(input)};`).join("")}\n}
type Pairs = { readonly [Output in Exclude<keyof Outputs, Text>]?: keyof Inputs };
type Text = ${namesOf(texts)};

/** Can be posted: to a worker, and in the \`processorOptions\` of an audio worklet. */
export interface Compiled {
  /** A WebAssembly.Module: not every program that may load this has its type. */
  readonly module: object;
  readonly weights?: ArrayBuffer | undefined;
}

export interface RunSync<In, Out> {
  /** Outputs in new arrays. */
  (inputs: In): Out;
  /** Writes those outputs that are named, of numbers, and allocates nothing. */
  <Into extends { readonly [Name in keyof Out]?: Name extends Text ? never : Out[Name] }>(
    inputs: In,
    into: Into,
  ): Into;
}

export interface Model {
  /**
   * Throws an error with code INPUT for arrays of other names, kinds or lengths. Of a model for several sizes, lengths say
   * which: those that may be of several are refused.
   */
  readonly runSync: RunSync<Inputs, Outputs>;
  /**
   * Steps that carry the state from each to the next, zeros at the start; of several sizes, those of the first. Throws an
   * error with code ARGUMENT for a pair that is no output and input of one kind and length.
   * @param state by output, the input that it is at the next step, where the bundle does not say it or takes others for it
   */
  stream<Carried extends Pairs = State>(
    state?: Carried,
  ): {
    readonly runSync: RunSync<
      Omit<Inputs, Carried[keyof Carried] & PropertyKey>,
      Omit<Outputs, keyof Carried>
    >;
    /** Begins anew. */
    reset(): void;
  };
}

/**
 * Downloads and compiles the module that suits the device.
 * Rejects with code NETWORK for files that cannot be had, or are not those that the bundle was written with; with the
 * engine's own WebAssembly.CompileError where it has no SIMD, or a page's policy lets it compile nothing.
 */
export declare function compile(): Promise<Compiled>;

/** The model on memory of its own, at once: of what was compiled there may be any number. */
export declare function start(compiled: Compiled): Model;
`;
}

/** @param others the same values for other sizes */
function arraysOf(
  name: string,
  values: readonly ModuleValue[],
  others: readonly (readonly ModuleValue[])[],
): string {
  const fields = values.map((value, index) => {
    const all = [value, ...others.flatMap((own) => own[index] ?? [])];
    const texts = new Set(all.map((one) => describeValue(typed(one))));
    const { most, labels } = value;
    const rows =
      most === undefined
        ? ""
        : `, at most ${most} rows; an array to write into is of ${mostNumbers(value)}, zeros behind the last row`;
    const said = visibleLine([...texts].join(" or ") + rows).replaceAll("*/", "* /");
    return `  /** ${said} */\n  readonly ${JSON.stringify(value.name)}: ${labels === undefined ? arrayOf(value.type) : "readonly string[]"};\n`;
  });
  return `export interface ${name} {\n${fields.join("")}}\n`;
}

/** A type of one of these names. */
function namesOf(all: readonly string[]): string {
  return all.length === 0 ? "never" : all.map((name) => JSON.stringify(name)).join(" | ");
}

/** As whoever runs the model knows it. */
function typed({ name, type, dims, labels }: ModuleValue): ValueInfo {
  return { name, type: labels === undefined ? numericOf(type) : "string", dims };
}
