import fc from "fast-check";
import { expect, it } from "vitest";
import { contentKey, sameBytes } from "./content.js";

it("tells contents apart, wherever they lie and whatever byte differs", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.nat(7),
      fc.nat(39),
      fc.integer({ min: 1, max: 255 }),
      (bytes, offset, place, change) => {
        const elsewhere = new Uint8Array(offset + bytes.length);
        elsewhere.set(bytes, offset);
        const same = elsewhere.subarray(offset);
        expect(contentKey(same)).toBe(contentKey(bytes));
        expect(sameBytes(same, bytes)).toBe(true);
        const at = place % bytes.length;
        same[at] = ((bytes[at] ?? 0) + change) & 255;
        expect(contentKey(same)).not.toBe(contentKey(bytes));
        expect(sameBytes(same, bytes)).toBe(false);
        expect(contentKey(bytes.subarray(1))).not.toBe(contentKey(bytes));
        expect(sameBytes(bytes.subarray(1), bytes)).toBe(false);
      },
    ),
  );
});
