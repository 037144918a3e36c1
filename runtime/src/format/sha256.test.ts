import { createHash } from "node:crypto";
import { afterEach, expect, it, vi } from "vitest";
import { sha256, sha256Sync } from "./sha256.js";

afterEach(() => vi.unstubAllGlobals());

const lengths = [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000, 100_003];

it.each(lengths)(
  "hashes %i bytes as everyone does, with crypto.subtle and without",
  async (length) => {
    const bytes = Uint8Array.from(
      { length: length + 3 },
      (_, i) => (i * 167 + (i >> 8)) & 255,
    ).subarray(3);
    const expected = createHash("sha256").update(bytes).digest("hex");
    expect(sha256Sync(bytes)).toBe(expected);
    expect(await sha256(bytes)).toBe(expected);
    vi.stubGlobal("crypto", {});
    expect(await sha256(bytes)).toBe(expected);
  },
);
