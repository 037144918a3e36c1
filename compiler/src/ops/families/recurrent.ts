import type { AttributeReader } from "../schema/attributes.js";

export function directionsOf(attributes: AttributeReader): number {
  return attributes.string("direction", "forward") === "bidirectional" ? 2 : 1;
}
