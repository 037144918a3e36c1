import {
  describeValue,
  type Dtype,
  dtypeArray,
  elementCount,
  isFloat,
  type ValueInfo,
  visibleLine,
} from "@pare/runtime/format";
import { quoted } from "../../terminal/quoted.js";
import { guessedDims } from "../../workbench/synthetic-samples.js";

/** A data module for a model, complete and commented, that yields zeros until it is filled in. */
export function dataModule(
  model: string,
  inputs: readonly ValueInfo[],
  outputs: readonly ValueInfo[],
  usual?: number,
): string {
  const named = variables(inputs);
  const answer = outputs.find(({ type }) => isFloat(type)) ?? outputs[0]; // as metrics read them
  return `// Data for ${visibleLine(model)}: pare optimize ${visibleLine(quoted(model))} --data <this file>
// It runs in a process of its own and may import whatever it needs: a tokenizer, an image library, files.
//
// The model takes
${inputs.map(commentOn).join("\n")}
// and gives
${outputs.map(commentOn).join("\n")}

/** Read more than once: keep it a function. A few hundred samples decide little, 2,000 decide half a percent. */
export async function* samples() {
  for (let index = 0; index < 100; index++) {
    // Put the sample's own numbers into the arrays.
${inputs.map((info, at) => feedLines(info, named[at] ?? "", usual)).join("\n")}
    yield {
      feeds: { ${inputs.map(({ name }, at) => (name === named[at] ? name : `[${JSON.stringify(name)}]: ${named[at]}`)).join(", ")} },
      // label: 0,            // what the answer should be; without labels Pare compares with the float model
      // id: \`sample-\${index}\`, // how reports name it
      // group: "speaker-1",  // samples of one group stay on one side of the split
    };
  }
}

// Which samples are for calibration, for the search, and for the final figures (a tenth, two and seven tenths
// where not given):
// A fourth, training: [...], is what pare distill learns from; without it, from the calibration split.
// export const splits = { calibration: ["sample-0"], validation: ["sample-1"], test: ["sample-2"] };

// For a model that keeps a state from run to run: which output is which input at the next step, and instead of samples
// the steps of each recording, { id: "recording-1", steps: [{ feeds, label }, …] }, whose state begins as zeros:
// export const state = { outputName: "inputName" };

// A metric of your own, and what of the outputs counts as the answer. predict also goes alone, where the answer is not
// simply the best-scored class. Without it predictions are whole outputs, { name: { type, dims, data } }, which equal no label:
// export function predict(outputs, sample) {
//   const { data } = outputs[${visibleLine(JSON.stringify(answer?.name ?? "output"))}];
//   return ${answerIn(answer)};
// }
// export const metric = {
//   name: "accuracy",
//   direction: "higher",
//   reduce: (predictions, labels) => predictions.filter((prediction, i) => prediction === labels[i]).length / labels.length,
// };
`;
}

/** A class, or what the output says itself. */
function answerIn(output: ValueInfo | undefined): string {
  if (output?.type === "string") return "data[0]";
  if (output !== undefined && !isFloat(output.type)) return "Number(data[0])";
  return output?.dims.at(-1) === 1
    ? "data[0] > 0.5 ? 1 : 0"
    : "data.reduce((best, score, at) => (score > data[best] ? at : best), 0)";
}

function commentOn(info: ValueInfo): string {
  return `//   ${visibleLine(`${info.name}: ${describeValue(info)}`)}`;
}

function feedLines(info: ValueInfo, name: string, usual?: number): string {
  const dims = guessedDims(info, {}, usual); // What is checked and timed without data: it is known whether the model takes that.
  const free = info.dims.flatMap((dim, axis) =>
    typeof dim === "number" ? [] : [`axis ${axis}${dim === null ? "" : ` (${dim})`} is free`],
  );
  const note = free.length > 0 ? ` // ${visibleLine(free.join(", "))}` : "";
  const type = info.type === "float16" ? "float32" : info.type; // it is rounded
  return `    const ${name} = { type: "${type}", dims: [${dims.join(", ")}], data: ${emptyData(type, elementCount(dims))} };${note}${hintFor(info.type)}`;
}

function emptyData(type: Dtype, count: number): string {
  return type === "string" ? `Array(${count}).fill("")` : `new ${dtypeArray[type].name}(${count})`;
}

function hintFor(type: Dtype): string {
  if (type === "int64" || type === "uint64") return " // bigint: 1n, BigInt(x)";
  if (type === "float16") return " // rounded to float16";
  return type === "bfloat16" ? " // the bits of each number" : "";
}

/** The inputs' own names where they can all be names of variables beside each other, and nothing else is meant by them. */
function variables(inputs: readonly ValueInfo[]): readonly string[] {
  const plain = inputs.map(({ name }, at) => (isPlain(name) ? name : `input${at}`));
  return new Set(plain).size === plain.length ? plain : inputs.map((_, at) => `input${at}`);
}

/** Small letters first: types of arrays and what JavaScript brings along begin with large ones. */
function isPlain(name: string): boolean {
  return /^[a-z][\w$]*$/.test(name) && !taken.has(name);
}

/** Words of the language in a module, and what the template itself names. */
const taken = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false
  finally for function if implements import in instanceof interface let new null package private protected public return
  static super switch this throw true try typeof undefined var void while with yield index`.split(
    /\s+/,
  ),
);
