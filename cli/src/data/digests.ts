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
