import { createHash } from "node:crypto";
import { bytesOf, isTypedArray, type Tensors } from "@pare/runtime/format";

/** sha256 of named tensors, base64: equal digests are equal feeds. */
export function feedsDigest(feeds: Tensors): string {
  const hash = createHash("sha256");
  for (const [name, { type, dims, data }] of Object.entries(feeds)) {
    hash.update(JSON.stringify([name, type, dims]));
    hash.update(isTypedArray(data) ? bytesOf(data) : JSON.stringify(data));
  }
  return hash.digest("base64");
}

/** sha256 of text, base64. */
export function textDigest(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

/** sha256 of a label of any kind, base64; the same for the same label on every machine. */
export function labelDigest(label: unknown): string {
  // Plain ones are told as they were before others were told apart, so that earlier locks hold.
  if (!isPlain(label)) return fieldsDigest({ label });
  const text = JSON.stringify(label, (_, part: unknown) =>
    isTypedArray(part)
      ? [part.constructor.name, createHash("sha256").update(bytesOf(part)).digest("base64")]
      : part,
  );
  return createHash("sha256").update(text).digest("base64");
}

/** Whether it is of JSON values and typed arrays throughout. @param within objects that it lies in: circles are not */
function isPlain(part: unknown, within: readonly object[] = []): boolean {
  switch (typeof part) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(part);
    case "object": {
      if (part === null || isTypedArray(part)) return true;
      if (within.includes(part)) return false;
      const inside = [...within, part];
      if (Array.isArray(part)) return Array.from(part).every((item) => isPlain(item, inside));
      return (
        Object.prototype.toString.call(part) === "[object Object]" &&
        Object.values(part).every((value) => isPlain(value, inside))
      );
    }
    default:
      return false;
  }
}

/**
 * sha256 of a sample's further fields, base64; the same for the same content on every machine. They may hold whatever
 * can be stored: an object is told once, and afterwards by its place, so that circles end.
 */
export function fieldsDigest(fields: Readonly<Record<string, unknown>>): string {
  const hash = createHash("sha256");
  const objects: object[] = [fields];
  const places = new Map<object, number>([[fields, 0]]);
  const inJson = (part: unknown): unknown => {
    if (typeof part !== "object" || part === null) return plainInJson(part);
    const place = places.get(part) ?? objects.push(part) - 1;
    places.set(part, place);
    return { place };
  };
  // Those that it leads to come after it in the same list.
  for (const object of objects) hash.update(JSON.stringify(contentInJson(object, inJson)));
  return hash.digest("base64");
}

/** What JSON has no word for is told by its type. */
function plainInJson(part: unknown): unknown {
  if (typeof part === "number") return Number.isFinite(part) ? part : { number: String(part) };
  if (typeof part === "bigint") return { bigint: String(part) };
  return part === undefined ? { undefined: "" } : part;
}

/** Values as objects, which have no entries to be told by. */
const boxed = /^\[object (?:Number|Boolean|BigInt)\]$/;

function contentInJson(object: object, inJson: (part: unknown) => unknown): unknown {
  if (Array.isArray(object)) return object.map(inJson);
  const kind = Object.prototype.toString.call(object);
  const bytes = bytesIn(object);
  if (bytes !== null) return { [kind]: createHash("sha256").update(bytes).digest("base64") };
  if (object instanceof Map) return { [kind]: [...object].map((pair) => pair.map(inJson)) };
  if (object instanceof Set) return { [kind]: [...object].map(inJson) };
  if (object instanceof Date) return { [kind]: object.getTime() };
  if (object instanceof RegExp) return { [kind]: String(object) };
  if (boxed.test(kind)) return { [kind]: plainInJson(object.valueOf()) };
  return { [kind]: Object.entries(object).map(([name, part]) => [name, inJson(part)]) };
}

function bytesIn(object: object): Uint8Array | null {
  if (ArrayBuffer.isView(object))
    return new Uint8Array(object.buffer, object.byteOffset, object.byteLength);
  return object instanceof ArrayBuffer ? new Uint8Array(object) : null;
}
