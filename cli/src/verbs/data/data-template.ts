import {
  describeValue,
  type Dtype,
  dtypeArray,
  elementCount,
  type ValueInfo,
} from "@pare/runtime/format";

/** A data module for a model, complete and commented, that yields zeros until it is filled in. */
export function dataModule(
  model: string,
  inputs: readonly ValueInfo[],
  outputs: readonly ValueInfo[],
): string {
  return `// Data for ${JSON.stringify(model)}: pare optimize ${model} --data <this file>
// It runs in a process of its own and may import whatever it needs: a tokenizer, an image library, files.
//
// The model takes
${inputs.map((info) => `//   ${info.name}: ${describeValue(info)}`).join("\n")}
// and gives
${outputs.map((info) => `//   ${info.name}: ${describeValue(info)}`).join("\n")}

/** Read more than once: keep it a function. A few hundred samples decide little, 2,000 decide half a percent. */
export async function* samples() {
  for (let index = 0; index < 100; index++) {
    // Put the sample's own numbers into the arrays.
${inputs.map(feedLines).join("\n")}
    yield {
      feeds: { ${inputs.map((info, at) => (isIdentifier(info.name) && info.name === variable(info, at) ? info.name : `${JSON.stringify(info.name)}: ${variable(info, at)}`)).join(", ")} },
      // label: 0,            // what the answer should be; without labels Pare compares with the float model
      // id: \`sample-\${index}\`, // how reports name it
      // group: "speaker-1",  // samples of one group stay on one side of the split
    };
  }
}

// What of the outputs counts as the answer, where it is not simply the best-scored class:
// export function predict(outputs, sample) {
//   return outputs[${JSON.stringify(outputs[0]?.name ?? "output")}].data[0] > 0.5 ? 1 : 0;
// }

// Which samples are for calibration, for the search, and for the final figures (a tenth, two and seven tenths
// where not given):
// export const splits = { calibration: ["sample-0"], validation: ["sample-1"], test: ["sample-2"] };

// A metric of your own:
// export const metric = {
//   name: "accuracy",
//   direction: "higher",
//   reduce: (predictions, labels) => predictions.filter((prediction, i) => prediction === labels[i]).length / labels.length,
// };
`;
}

function feedLines(info: ValueInfo, at: number): string {
  const name = variable(info, at);
  const dims = info.dims.map((dim, axis) => (typeof dim === "number" ? dim : axis === 0 ? 1 : 16));
  const free = info.dims.flatMap((dim, axis) =>
    typeof dim === "number" ? [] : [`axis ${axis}${dim === null ? "" : ` (${dim})`} is free`],
  );
  const note = free.length > 0 ? ` // ${free.join(", ")}` : "";
  return `    const ${name} = { type: "${info.type}", dims: [${dims.join(", ")}], data: ${emptyData(info.type, elementCount(dims))} };${note}${hintFor(info.type)}`;
}

function emptyData(type: Dtype, count: number): string {
  return type === "string" ? `Array(${count}).fill("")` : `new ${dtypeArray[type].name}(${count})`;
}

function hintFor(type: Dtype): string {
  if (type === "int64" || type === "uint64") return " // bigint: 1n, BigInt(x)";
  return type === "float16" || type === "bfloat16" ? " // the bits of each number" : "";
}

function variable(info: ValueInfo, at: number): string {
  return isIdentifier(info.name) && info.name !== "index" ? info.name : `input${at}`;
}

function isIdentifier(name: string): boolean {
  return (
    /^[A-Za-z_$][\w$]*$/.test(name) &&
    !/^(class|default|delete|export|import|function|return|new|in|if|for|let|const|var|this|yield|await)$/.test(
      name,
    )
  );
}
