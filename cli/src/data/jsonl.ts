import { createReadStream } from "node:fs";
import {
  messageOf,
  nestingLimit,
  PareError,
  type Tensor,
  type ValueInfo,
} from "@pare/runtime/format";
import { openFileSource } from "../platform/file-source.js";
import { jsonTensor } from "./json-tensor.js";
import type { RawSample, RawSamples } from "./raw-sample.js";

/** One sample per line: `{"inputName": [...], "label": 1, "id": "a", "group": "b"}`. */
export async function readJsonl(path: string, inputs: readonly ValueInfo[]): Promise<RawSamples> {
  const file = openFileSource(path, "DATA_NOT_FOUND");
  file.close();
  return { count: null, samples: lines(path, inputs) };
}

/** A sample of a hundred million numbers is none. */
const mostLineBytes = 256 * 2 ** 20;

async function* lines(path: string, inputs: readonly ValueInfo[]): AsyncGenerator<RawSample> {
  let number = 0;
  for await (const bytes of split(path)) {
    number++;
    const line = new TextDecoder().decode(bytes);
    if (line.trim() !== "") yield sampleOf(line, `${path}, line ${number}`, inputs);
  }
}

async function* split(path: string): AsyncGenerator<Buffer> {
  let [parts, length, number]: [Buffer[], number, number] = [[], 0, 1];
  const stream: AsyncIterable<Buffer> = createReadStream(path);
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, end)]);
      [parts, length, from] = [[], 0, end + 1];
      number++;
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > mostLineBytes)
      throw new PareError(
        "DATA_INVALID",
        `${path}, line ${number} has more than ${mostLineBytes} bytes.`,
        { where: `${path}, line ${number}`, hint: "Write one object per line." },
      );
  }
  yield Buffer.concat(parts);
}

function sampleOf(line: string, where: string, inputs: readonly ValueInfo[]): RawSample {
  const fields = parse(line, where);
  const feeds = new Map<string, Tensor>();
  for (const info of inputs) {
    const value = fields.get(info.name);
    if (value === undefined) {
      throw new PareError("DATA_MISMATCH", `${where} has no field "${info.name}".`, {
        where,
        hint: `Name the fields as the inputs: ${inputs.map(({ name }) => `"${name}"`).join(", ")}.`,
      });
    }
    feeds.set(info.name, jsonTensor(value, info, where));
  }
  const [label, id, group] = ["label", "id", "group"].map((name) => fields.get(name));
  return {
    feeds: Object.fromEntries(feeds),
    ...(label !== undefined && label !== null && { label }),
    ...(id !== undefined && id !== null && { id: textOf(id) }),
    ...(group !== undefined && group !== null && { group: textOf(group) }),
  };
}

function parse(line: string, where: string): ReadonlyMap<string, unknown> {
  try {
    if (isDeep(line)) throw new SyntaxError(`it has more than ${nestingLimit} levels`);
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

/** Brackets in texts count too: nobody writes so many. */
function isDeep(line: string): boolean {
  let level = 0;
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at);
    // [ and {, ] and }: their codes differ in one bit.
    if ((code | 32) === 123) level++;
    else if ((code | 32) === 125) level--;
    if (level > nestingLimit) return true;
  }
  return false;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
