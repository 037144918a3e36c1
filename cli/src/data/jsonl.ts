import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { messageOf, PareError, type Tensor, type ValueInfo } from "@pare/runtime/format";
import { openFileSource } from "../platform/file-source.js";
import { jsonTensor } from "./json-tensor.js";
import type { RawSample, RawSamples } from "./raw-sample.js";

/** One sample per line: `{"inputName": [...], "label": 1, "id": "a", "group": "b"}`. */
export async function readJsonl(path: string, inputs: readonly ValueInfo[]): Promise<RawSamples> {
  const file = openFileSource(path, "DATA_NOT_FOUND");
  file.close();
  return { count: null, samples: lines(path, inputs) };
}

async function* lines(path: string, inputs: readonly ValueInfo[]): AsyncGenerator<RawSample> {
  let number = 0;
  for await (const line of createInterface({
    input: createReadStream(path),
    crlfDelay: Infinity,
  })) {
    number++;
    if (line.trim() !== "") yield sampleOf(line, `${path}, line ${number}`, inputs);
  }
}

function sampleOf(line: string, where: string, inputs: readonly ValueInfo[]): RawSample {
  const fields = parse(line, where);
  const feeds: Record<string, Tensor> = {};
  for (const info of inputs) {
    const value = fields.get(info.name);
    if (value === undefined) {
      throw new PareError("DATA_MISMATCH", `${where} has no field "${info.name}".`, {
        where,
        hint: `Name the fields as the inputs: ${inputs.map(({ name }) => `"${name}"`).join(", ")}.`,
      });
    }
    feeds[info.name] = jsonTensor(value, info, where);
  }
  const [label, id, group] = ["label", "id", "group"].map((name) => fields.get(name));
  return {
    feeds,
    ...(label !== undefined && label !== null && { label }),
    ...(id !== undefined && { id: textOf(id) }),
    ...(group !== undefined && group !== null && { group: textOf(group) }),
  };
}

function parse(line: string, where: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return new Map(Object.entries(value));
    throw new SyntaxError("it is no object");
  } catch (cause) {
    throw new PareError("DATA_INVALID", `${where} is not a JSON object: ${messageOf(cause)}.`, {
      where,
      hint: "Write one object per line.",
      cause,
    });
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
