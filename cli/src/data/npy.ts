import {
  arrayOver,
  bytesOf,
  type Dtype,
  dtypeBytes,
  elementCount,
  isTypedArray,
  PareError,
  type Tensor,
} from "@pare/runtime/format";

const magic = "\u0093NUMPY";
const dtypes: Readonly<Record<string, Exclude<Dtype, "string">>> = {
  f2: "float16",
  f4: "float32",
  f8: "float64",
  i1: "int8",
  u1: "uint8",
  i2: "int16",
  u2: "uint16",
  i4: "int32",
  u4: "uint32",
  i8: "int64",
  u8: "uint64",
  b1: "bool",
};

/**
 * NumPy's array format, versions 1 to 3: little-endian numbers, booleans and text, in C order.
 * @throws PareError DATA_INVALID
 */
export function parseNpy(bytes: Uint8Array, where: string): Tensor {
  const { descr, fortran, dims, start } = parseHeader(bytes, where);
  if (fortran && dims.filter((dim) => dim > 1).length > 1) {
    throw invalid(where, "is in Fortran order", "Save numpy.ascontiguousarray(array).");
  }
  const count = elementCount(dims);
  if (!Number.isSafeInteger(count))
    throw invalid(where, `has impossible dims [${dims.join(", ")}]`);
  const kind = /^([<>|=])([a-zA-Z])(\d+)$/.exec(descr);
  if (kind === null) {
    throw invalid(
      where,
      `holds ${descr}, which is neither numbers nor text`,
      "Save plain arrays: array.astype(numpy.float32).",
    );
  }
  const [, order, letter, size] = kind;
  if (order === ">")
    throw invalid(where, "is big-endian", "Save array.astype(array.dtype.newbyteorder('<')).");
  const body = bytes.subarray(start);
  if (letter === "U" || letter === "S") {
    const width = Number(size) * (letter === "U" ? 4 : 1);
    // Any number of texts without a letter would fit into no bytes.
    if (width === 0) throw invalid(where, `holds ${descr}, texts without room for a letter`);
    checkLength(body, count * width, where);
    return { type: "string", dims, data: textsOf(body, count, width, letter) };
  }
  const type = dtypes[`${letter}${size}`];
  if (type === undefined)
    throw invalid(
      where,
      `holds ${descr}, which has no counterpart in ONNX`,
      "Save array.astype(numpy.float32).",
    );
  const length = dtypeBytes(type, count);
  checkLength(body, length, where);
  return { type, dims, data: arrayOver(type, body.subarray(0, length)) };
}

interface Header {
  readonly descr: string;
  readonly fortran: boolean;
  readonly dims: readonly number[];
  readonly start: number;
}

function parseHeader(bytes: Uint8Array, where: string): Header {
  const text = (from: number, to: number): string =>
    new TextDecoder("latin1").decode(bytes.subarray(from, to));
  // latin1 in TextDecoder is windows-1252, where 0x93 is another character: compare bytes.
  const known = bytes[0] === magic.charCodeAt(0) && text(1, 6) === magic.slice(1);
  if (!known) throw invalid(where, "is not a NumPy array");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = (bytes[6] ?? 1) >= 2;
  if (bytes.byteLength < (long ? 12 : 10)) throw invalid(where, "ends within its header");
  const start = long ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true);
  if (start > bytes.byteLength) throw invalid(where, "ends within its header");
  const header = text(long ? 12 : 10, start);
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const fortran = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (fortran === undefined || shape === undefined || descr === undefined) {
    const structured = /'descr':\s*\[/.test(header);
    throw invalid(
      where,
      structured ? "is a structured array" : "has a damaged header",
      "Save plain arrays, one per input.",
    );
  }
  const dims = shape.split(",").flatMap((dim) => (dim.trim() === "" ? [] : [Number(dim)]));
  return { descr, fortran: fortran === "True", dims, start };
}

function textsOf(body: Uint8Array, count: number, width: number, letter: string): string[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const step = letter === "U" ? 4 : 1;
  return Array.from({ length: count }, (_, index) => {
    let text = "";
    for (let at = index * width; at < (index + 1) * width; at += step) {
      const point = step === 4 ? view.getUint32(at, true) : view.getUint8(at);
      if (point === 0) break;
      text += String.fromCodePoint(Math.min(point, 0x10ffff));
    }
    return text;
  });
}

/** A tensor as a `.npy` file, version 1. Types that NumPy lacks are written as their bits. */
export function formatNpy(tensor: Tensor): Uint8Array {
  const { descr, bytes } = bodyOf(tensor);
  const shape = `(${tensor.dims.join(", ")}${tensor.dims.length === 1 ? "," : ""})`;
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  const padded = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const file = new Uint8Array(padded + bytes.byteLength);
  const header = `${magic}\u0001\u0000\u0000\u0000${dict.padEnd(padded - 11)}\n`;
  for (let at = 0; at < header.length; at++) file[at] = header.charCodeAt(at);
  new DataView(file.buffer).setUint16(8, padded - 10, true);
  file.set(bytes, padded);
  return file;
}

function bodyOf({ type, data }: Tensor): { descr: string; bytes: Uint8Array } {
  if (isTypedArray(data)) {
    const code =
      Object.entries(dtypes).find(([, dtype]) => dtype === type)?.[0] ??
      `u${data.BYTES_PER_ELEMENT}`;
    return { descr: `${code.endsWith("1") ? "|" : "<"}${code}`, bytes: bytesOf(data) };
  }
  const points = data.map((text) => Array.from(text, (letter) => letter.codePointAt(0) ?? 0));
  const width = points.reduce((most, { length }) => Math.max(most, length), 1);
  const filled = new Uint32Array(width * points.length);
  for (const [index, row] of points.entries()) filled.set(row, index * width);
  return { descr: `<U${width}`, bytes: bytesOf(filled) };
}

function checkLength(body: Uint8Array, length: number, where: string): void {
  if (body.byteLength < length)
    throw invalid(where, `needs ${length} bytes of data, but has ${body.byteLength}`);
}

function invalid(
  where: string,
  what: string,
  hint = "Save it again with numpy.save or numpy.savez.",
): PareError {
  return new PareError("DATA_INVALID", `${where} ${what}.`, { where, hint });
}
