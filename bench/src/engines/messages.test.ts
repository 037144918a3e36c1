import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { decode, encode } from "./codec.js";
import { Messages, sendMessage } from "./messages.js";

const values = [
  { kind: "run", feeds: { x: Float32Array.of(1, 2, 3) } },
  { kind: "memory" },
  { bytes: Uint8Array.of(1, 2, 3, 4, 5), big: BigInt64Array.of(-1n) },
];

it.each([1, 3, 8, 64, 1e6])("puts messages together from chunks of %i bytes", async (size) => {
  const pipe = new PassThrough();
  for (const value of values) sendMessage(pipe, value);
  pipe.end();
  const bytes = Buffer.concat(await pipe.toArray());
  const got: unknown[] = [];
  const messages = new Messages((message) => got.push(decode(message)));
  for (let at = 0; at < bytes.byteLength; at += size) messages.add(bytes.subarray(at, at + size));
  expect(got).toEqual(values);
});

it("reads into the memory of a message that was given back, where it is large enough", () => {
  const got: Uint8Array<ArrayBuffer>[] = [];
  const messages = new Messages((message) => got.push(message));
  const send = (value: unknown): void => {
    const bytes = encode(value);
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(bytes.byteLength), true);
    messages.add(length);
    messages.add(bytes);
  };
  const last = (): Uint8Array<ArrayBuffer> => got.at(-1) ?? new Uint8Array();
  send({ x: new Float32Array(100) });
  const [first] = got;
  send({ x: new Float32Array(10) });
  expect(last().buffer, "it is still in use").not.toBe(first?.buffer);
  messages.giveBack(got[0] ?? new Uint8Array());
  send({ x: Float32Array.of(1, 2) });
  expect(last().buffer).toBe(first?.buffer);
  expect(decode(last())).toEqual({ x: Float32Array.of(1, 2) });
  messages.giveBack(last());
  send({ x: new Float32Array(100) });
  expect(last().buffer, "a part of it was given back, and all of it is there").toBe(first?.buffer);
  messages.giveBack(last());
  send({ x: new Float32Array(1000) });
  expect(last().buffer, "it is too small").not.toBe(first?.buffer);
});
