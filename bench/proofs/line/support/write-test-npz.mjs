// node write-test-npz.mjs FILE [COUNT]: the digits' test samples as arrays, for a gate that needs no module.
import { writeFileSync } from "node:fs";
import { zipSync } from "fflate";
import { samples, splits } from "../../../../fixtures/data/mnist.mjs";

const [file, count] = process.argv.slice(2);
const test = new Set(count === undefined ? splits.test : splits.test.slice(0, Number(count)));
const pixels = [];
const labels = [];
for await (const { feeds, label, id } of samples()) {
  if (!test.has(id)) continue;
  pixels.push(feeds.x.data ?? feeds.x);
  labels.push(label);
}
const x = new Float32Array(pixels.length * 784);
pixels.forEach((image, index) => x.set(image, index * 784));
const archive = zipSync(
  {
    "x.npy": npy("<f4", [pixels.length, 1, 28, 28], x),
    "label.npy": npy("<i4", [labels.length], Int32Array.from(labels)),
  },
  { level: 0 },
);
writeFileSync(file, archive);

/** NumPy's format 1.0: a magic, the header's length, a Python literal padded to 64 bytes, and the elements. */
function npy(descr, shape, array) {
  const literal = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape.length === 1 ? "," : ""}), }`;
  const header = literal.padEnd(Math.ceil((literal.length + 11) / 64) * 64 - 11) + "\n";
  const bytes = new Uint8Array(10 + header.length + array.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(new Uint8Array(array.buffer), 10 + header.length);
  return bytes;
}
