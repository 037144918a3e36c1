import { describeValue, PareError, type Tensor, type ValueInfo } from "@pare/runtime/format";
import type { Sound } from "./wav.js";

/** How a model's input holds a sound. */
export interface SoundLayout {
  readonly info: ValueInfo;
  /** Samples that it takes; null where that is free. */
  readonly length: number | null;
}

/** As many as an hour has at 16,000 a second, and some: what is padded takes memory that no file brought. */
const mostSamples = 2 ** 26;

/**
 * An input of floats or int16 whose last axis is samples, with axes of one in front: [N], [1, N] or [1, 1, N].
 * @throws PareError DATA_MISMATCH when the input holds no sound
 */
export function soundLayout(info: ValueInfo): SoundLayout {
  const before = info.dims.slice(0, -1);
  const length = info.dims.at(-1);
  const isTyped = ["float32", "float64", "float16", "int16"].includes(info.type);
  const isSized = typeof length !== "number" || (length > 0 && length <= mostSamples);
  const isAlone = before.every((dim) => typeof dim !== "number" || dim === 1);
  if (!isTyped || length === undefined || !isSized || before.length > 2 || !isAlone)
    throw new PareError(
      "DATA_MISMATCH",
      `Input "${info.name}" is ${describeValue(info)}, which holds no sound.`,
      {
        where: info.name,
        hint: `WAV files need an input of floats or int16 as [samples], [1, samples] or [1, 1, samples], at most ${mostSamples} of them; for other models, as those that take spectrograms, write a data module: pare data <model>.`,
      },
    );
  return { info, length: typeof length === "number" ? length : null };
}

/** Samples as an input takes them: a shorter sound ends in zeros, a longer one is cut. */
export function soundTensor({ samples }: Sound, { info, length }: SoundLayout): Tensor {
  const data = new Float32Array(length ?? samples.length);
  data.set(samples.subarray(0, data.length));
  const dims = [...info.dims.slice(0, -1).map(() => 1), data.length];
  if (info.type !== "int16") return { type: "float32", dims, data };
  const whole = Int16Array.from(data, (x) =>
    Math.min(Math.max(Math.round(x * 32768), -32768), 32767),
  );
  return { type: "int16", dims, data: whole };
}
