// Models that are well-formed protobuf and wrong in what they say: lengths, dims, types, references, opsets, attributes.
import { readMessage, writeMessage } from "../../../../../compiler/dist/onnx/index.js";
import { messages } from "../../../../../compiler/dist/onnx/schema.js";
import { edges, mutateBytes, texts } from "./random.mjs";

const sourceOf = (bytes) => ({
  size: bytes.length,
  read: async (offset, length) => bytes.slice(offset, offset + length),
});

/** What a kernel computes with, and what it must not trip over. */
const plausible = [-2, -0.5, 0.25, 0.5, 1.5, 3, 10];
const extremes = [0, -0, 1, -1, 1e-38, 1e38, Infinity, -Infinity, Number.NaN];

/** @returns the mutant's bytes; a few are changed as bytes, not as messages */
export async function mutateModel(seed, other, random) {
  if (random.chance(0.15)) return mutateBytes(seed, random, other);
  const model = await readMessage("ModelProto", sourceOf(seed));
  const donor = random.chance(0.3) ? await readMessage("ModelProto", sourceOf(other)) : model;
  const places = [];
  collect(model, "ModelProto", places);
  const donated = [];
  collect(donor, "ModelProto", donated);
  for (let times = 1 + random.below(3); times > 0; times -= 1) mutateField(places, donated, random);
  try {
    return Uint8Array.from(await writeMessage("ModelProto", model));
  } catch {
    // A message within itself has no bytes that anybody could send.
    return mutateBytes(seed, random, other);
  }
}

/** Every field of every message: where it is, what it is, and what kind it has. */
function collect(message, type, places) {
  for (const [field, [, kind]] of Object.entries(messages[type])) {
    const base = kind.replace(/\[.*\]$/, "");
    const repeated = base !== kind;
    places.push({ message, field, base, repeated });
    if (!(base in messages)) continue;
    const value = message[field];
    const inner = repeated ? (value ?? []) : value === undefined || value === null ? [] : [value];
    for (const one of inner) collect(one, base, places);
  }
}

function mutateField(places, donated, random) {
  // Fields that are there, mostly; of one kind each as often as of another, or nodes' names would be all.
  const set = places.filter(({ message, field }) => !isEmpty(message[field]));
  const kinds = [...new Set(set.map(({ base, field }) => `${base} ${field}`))];
  const kind = random.of(kinds);
  const place = random.chance(0.9)
    ? random.of(set.filter(({ base, field }) => `${base} ${field}` === kind))
    : random.of(places);
  const { message, field, base, repeated } = place;
  if (!repeated) {
    if (random.chance(0.1)) delete message[field];
    else message[field] = valueOf(base, field, message[field], donated, random);
    return;
  }
  const list = Array.from(message[field] ?? []);
  const at = random.below(list.length + 1);
  switch (random.below(6)) {
    case 0:
      list.splice(at, 1);
      break;
    case 1:
      list.splice(at, 0, ...list.slice(at, at + 1));
      break;
    case 2:
      list.reverse();
      break;
    case 3:
      list.length = Math.min(at, list.length);
      break;
    default:
      list.splice(at, random.below(2), valueOf(base, field, list[at], donated, random));
  }
  message[field] = list.filter((one) => one !== undefined);
}

const isEmpty = (value) =>
  value === undefined || value === null || value.length === 0 || value.size === 0;

function valueOf(base, field, before, donated, random) {
  const alike = donated.filter((one) => one.base === base && !isEmpty(one.message[one.field]));
  const borrowed = () => {
    const sameField = alike.filter((one) => one.field === field);
    const from = random.of(sameField.length > 0 && random.chance(0.7) ? sameField : alike);
    const value = from?.message[from.field];
    return from?.repeated === true ? random.of(Array.from(value)) : value;
  };
  switch (base) {
    case "int64":
    case "uint64": {
      const extreme = random.chance(0.3) ? borrowed() : random.of(edges);
      const value = random.chance(0.4) ? BigInt(random.below(9) - 3) : extreme;
      const near = typeof before === "bigint" && random.chance(0.3) ? before + 1n : value;
      const wanted = typeof near === "bigint" ? near : BigInt(near ?? 0);
      return base === "uint64" ? BigInt.asUintN(64, wanted) : BigInt.asIntN(64, wanted);
    }
    case "int32":
    case "enum":
      return random.chance(0.5) ? random.below(30) : Number(BigInt.asIntN(32, random.of(edges)));
    case "float":
    case "double":
      return random.of(random.chance(0.5) ? plausible : extremes);
    case "string":
      return random.chance(0.5) ? (borrowed() ?? "") : random.of(texts);
    case "bytes":
    case "data": {
      const bytes = before instanceof Uint8Array ? before : new TextEncoder().encode("bytes");
      return mutateBytes(bytes, random);
    }
    default:
      return borrowed() ?? {};
  }
}
