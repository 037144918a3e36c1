import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  entryHeader,
  headerBytes,
  isEntryName,
  isTemporaryName,
  mostPayloadBytes,
  readHeader,
} from "./entry.js";

const name = randomBytes(32).toString("hex");
const sha256 = randomBytes(32).toString("hex");

describe("an entry's header", () => {
  it("is read as it was written", () => {
    const header = entryHeader(name, 1000, sha256);
    expect(header.length).toBe(headerBytes);
    expect(readHeader(header, name, headerBytes + 1000)).toEqual({ bytes: 1000, sha256 });
  });

  it("says nothing else when any bit before the payload's hash is another", () => {
    for (let bit = 0; bit < 52 * 8; bit++) {
      const header = entryHeader(name, 1000, sha256);
      header[bit >> 3] = (header[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(readHeader(header, name, headerBytes + 1000), `bit ${bit}`).toBeNull();
    }
  });

  it("is refused for another name, another size, and more than is ever kept", () => {
    const header = entryHeader(name, 1000, sha256);
    expect(readHeader(header, sha256, headerBytes + 1000)).toBeNull();
    expect(readHeader(header, name, headerBytes + 999)).toBeNull();
    expect(readHeader(header.subarray(1), name, headerBytes + 1000)).toBeNull();
    const sized = (bytes: number) =>
      readHeader(entryHeader(name, bytes, sha256), name, headerBytes + bytes);
    expect(sized(mostPayloadBytes)).toEqual({ bytes: mostPayloadBytes, sha256 });
    expect(sized(mostPayloadBytes + 1)).toBeNull();
  });

  it("is not seen in random bytes", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 2 * headerBytes }),
        fc.nat(),
        (bytes, size) => readHeader(bytes, name, size) === null,
      ),
    );
  });
});

it("knows its own names", () => {
  const names = [name, `.${name}.1.a`, ".lock.a", ".lock", name.toUpperCase(), `${name}0`, ""];
  expect(names.filter((each) => isEntryName(each))).toEqual([name]);
  expect(names.filter((each) => isTemporaryName(each))).toEqual([`.${name}.1.a`, ".lock.a"]);
});
