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

/** sha256 of a label of any kind, base64; the same for the same label on every machine. */
export function labelDigest(label: unknown): string {
  const text = JSON.stringify(label, (_, part: unknown) => {
    if (typeof part === "bigint") return `${part}n`;
    if (typeof part === "number" && !Number.isFinite(part)) return String(part);
    if (!isTypedArray(part)) return part;
    return [part.constructor.name, createHash("sha256").update(bytesOf(part)).digest("base64")];
  });
  return createHash("sha256")
    .update(text ?? "")
    .digest("base64");
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

function contentInJson(object: object, inJson: (part: unknown) => unknown): unknown {
  if (Array.isArray(object)) return object.map(inJson);
  const kind = Object.prototype.toString.call(object);
  const bytes = bytesIn(object);
  if (bytes !== null) return { [kind]: createHash("sha256").update(bytes).digest("base64") };
  if (object instanceof Map) return { [kind]: [...object].map((pair) => pair.map(inJson)) };
  if (object instanceof Set) return { [kind]: [...object].map(inJson) };
  if (object instanceof Date) return { [kind]: object.getTime() };
  if (object instanceof RegExp) return { [kind]: String(object) };
  return { [kind]: Object.entries(object).map(([name, part]) => [name, inJson(part)]) };
}

function bytesIn(object: object): Uint8Array | null {
  if (ArrayBuffer.isView(object))
    return new Uint8Array(object.buffer, object.byteOffset, object.byteLength);
  return object instanceof ArrayBuffer ? new Uint8Array(object) : null;
}
