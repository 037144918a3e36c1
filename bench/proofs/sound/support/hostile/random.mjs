// What mutants are drawn with: edges, texts, and bytes changed as a disk or an enemy would.

/** Integers at the edges of what fields hold. */
export const edges = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  7n,
  64n,
  255n,
  256n,
  65_535n,
  65_536n,
  10n ** 6n,
  2n ** 31n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n - 1n,
  2n ** 32n,
  10n ** 10n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  -(10n ** 10n),
];

/** Text that wants to be a path, code, markup or an escape. */
export const texts = [
  "",
  "x",
  "..",
  "../../outside.txt",
  "/etc/passwd",
  "C:\\outside.txt",
  "a/../../b",
  "__proto__",
  "constructor",
  "toString",
  "NaN",
  "-1",
  "\u0000",
  "line\nbreak",
  "\u001b[2J\u001b[31m",
  "\u2028",
  "\ud800",
  "*/ process.exit(1); /*",
  "`${process.exit(1)}`",
  "</script><script>alert(1)</script>",
  "| a | b |",
  "€".repeat(500),
  "x".repeat(70_000),
];

/** Bytes changed as a disk, a network or an enemy would: any format. */
export function mutateBytes(bytes, random, other = bytes) {
  let out = Uint8Array.from(bytes);
  for (let times = 1 + random.below(4); times > 0; times -= 1) out = once(out, random, other);
  return out;
}

function once(bytes, random, other) {
  const at = random.below(bytes.length + 1);
  const length = Math.min(bytes.length - at, 1 + random.below(random.chance(0.5) ? 8 : 4096));
  switch (random.below(7)) {
    case 0:
      return bytes.subarray(0, at);
    case 1: {
      const out = Uint8Array.from(bytes);
      if (at < out.length) out[at] ^= 1 << random.below(8);
      return out;
    }
    case 2:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 3:
      return joined(bytes.subarray(0, at + length), bytes.subarray(at));
    case 4: {
      const from = random.below(other.length + 1);
      return joined(
        bytes.subarray(0, at),
        other.subarray(from, from + 1 + random.below(512)),
        bytes.subarray(at),
      );
    }
    case 5: {
      // A length or a size somewhere: at the start of files more often than not.
      const out = Uint8Array.from(bytes);
      const width = random.of([1, 2, 4, 8]);
      const place = random.chance(0.6) ? random.below(Math.min(out.length, 128)) : at;
      if (place + width > out.length) return out;
      const view = new DataView(out.buffer);
      const value = random.of(edges);
      if (width === 1) view.setUint8(place, Number(value & 255n));
      else if (width === 2) view.setUint16(place, Number(value & 65_535n), true);
      else if (width === 4) view.setUint32(place, Number(value & 0xffff_ffffn), random.chance(0.7));
      else view.setBigInt64(place, value, true);
      return out;
    }
    default: {
      const out = Uint8Array.from(bytes);
      for (let index = at; index < at + length; index += 1) out[index] = random.below(256);
      return out;
    }
  }
}

function joined(...parts) {
  return Uint8Array.from(Buffer.concat(parts));
}
