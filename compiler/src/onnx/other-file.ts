import { type ByteSource, PareError } from "@pare/runtime/format";

/** How files begin, byte by byte, that are taken for models, or packed around one. */
const formats: readonly { start: string; at: number; is: string; hint: string }[] = [
  { start: "\x1f\x8b", at: 0, is: "compressed by gzip", hint: "Unpack it: gunzip." },
  {
    start: "PK\x03\x04",
    at: 0,
    is: "a zip archive",
    hint: "Unpack it and give the .onnx file in it; a model that PyTorch saved has to be exported to ONNX.",
  },
  {
    start: "\x89HDF",
    at: 0,
    is: "an HDF5 file",
    hint: "Export the model to ONNX: tf2onnx reads Keras's.",
  },
  {
    start: "TFL3",
    at: 4,
    is: "a TensorFlow Lite model",
    hint: "Export the model to ONNX: tf2onnx reads it.",
  },
  {
    start: "ORTM",
    at: 4,
    is: "in onnxruntime's own format",
    hint: "Give the .onnx file that the .ort file was made of.",
  },
  {
    start: "GGUF",
    at: 0,
    is: "a GGUF file",
    hint: "Give the ONNX export of the model that it was made of.",
  },
  {
    start: "\x80",
    at: 0,
    is: "a Python pickle",
    hint: "Export the model to ONNX where it was made: torch.onnx.export, or skl2onnx for scikit-learn.",
  },
  {
    start: '{"',
    at: 8,
    is: "a safetensors file",
    hint: "It holds weights alone: export the model to ONNX.",
  },
];

/** Of text, so many bytes are looked at and shown. */
const shown = 40;

/**
 * What a file is that could not be read as a model, where its beginning tells. A model may begin with any of its
 * fields, so that only a file which failed is asked.
 */
export async function otherFile(source: ByteSource): Promise<PareError | undefined> {
  const start = await source.read(0, Math.min(source.size, shown));
  const format = formats.find((one) =>
    Array.from(one.start).every((byte, i) => start[one.at + i] === byte.charCodeAt(0)),
  );
  if (format !== undefined)
    return new PareError("MODEL_INVALID", `The file is ${format.is}, not an ONNX model.`, {
      hint: format.hint,
    });
  const text = plainText(start);
  if (text === undefined) return undefined;
  return new PareError(
    "MODEL_INVALID",
    `The file is text, not an ONNX model: it begins with ${JSON.stringify(text)}.`,
    {
      hint: "Fetch the model itself: a page that says why a download failed, or a link that git wrote as a file, may lie in its place.",
    },
  );
}

/** Undefined where bytes are no UTF-8 or have control characters; the last character may be cut through. */
function plainText(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(bytes).replace(/\uFFFD$/, "");
  // oxlint-disable-next-line no-control-regex -- They are what tells a model from text.
  return /[\u0000-\u0008\u000e-\u001f\u007f\uFFFD]/.test(text) ? undefined : text.trim();
}
