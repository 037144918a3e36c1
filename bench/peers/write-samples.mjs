// node write-samples.mjs DATA_MODULE FOLDER: the samples that calibrate, as .npz for the Python tools.
// One file for each set of shapes, each array stacked along a new first axis.
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { zipSync } from "fflate";

const descriptions = { float32: "<f4", int32: "<i4", int64: "<i8", uint8: "|u1", bool: "|b1" };

/** Writes `splits.calibration` of a data module, the very samples that Pare calibrates on; gives their number. */
export async function writeSamples(dataModule, folder) {
  const { samples, splits } = await import(pathToFileURL(resolve(dataModule)).href);
  const wanted = new Set(splits.calibration);
  const found = [];
  for await (const { id, feeds } of samples()) if (wanted.has(id)) found.push(feeds);
  return writeFeeds(found, folder);
}

/** Writes feeds as one file for each set of shapes; gives their number. */
export async function writeFeeds(all, folder) {
  const groups = new Map();
  for (const feeds of all) {
    const key = JSON.stringify(Object.values(feeds).map(({ dims }) => dims));
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(feeds);
  }
  await mkdir(folder, { recursive: true });
  for (const [index, group] of [...groups.values()].entries()) {
    const arrays = Object.keys(group[0]).map((name) => [
      `${name}.npy`,
      stack(group.map((feeds) => feeds[name])),
    ]);
    await writeFile(
      join(folder, `${index}.npz`),
      zipSync(Object.fromEntries(arrays), { level: 0 }),
    );
  }
  return [...groups.values()].flat().length;
}

/** NumPy's format 1.0: a magic, the header's length, a Python literal padded to 64 bytes, and the elements. */
function stack(tensors) {
  const [{ type, dims, data }] = tensors;
  const descr = descriptions[type];
  if (descr === undefined) throw new Error(`A sample's ${type} has no place in an .npz here.`);
  const literal = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${[tensors.length, ...dims].join(", ")},), }`;
  const header = `${literal.padEnd(Math.ceil((literal.length + 11) / 64) * 64 - 11)}\n`;
  const start = 10 + header.length;
  const bytes = new Uint8Array(start + tensors.length * data.byteLength);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  for (const [index, { data: each }] of tensors.entries())
    bytes.set(
      new Uint8Array(each.buffer, each.byteOffset, each.byteLength),
      start + index * each.byteLength,
    );
  return bytes;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [dataModule, folder] = process.argv.slice(2);
  if (dataModule === undefined || folder === undefined) {
    console.error("node write-samples.mjs DATA_MODULE FOLDER");
    process.exit(2);
  }
  console.log(`${await writeSamples(dataModule, folder)} samples in ${folder}`);
}
