import type { AttributeReader } from "../schema/attributes.js";

/** How GridSample looks between and beyond the places of an image; see its definition in ONNX's operators. */
export interface GridSampling {
  readonly mode: "linear" | "nearest";
  /** Beyond the image lie zeros, or what is at its border. */
  readonly padding: "zeros" | "border";
  /** −1 and 1 are the middles of the outermost places, else their outer edges. */
  readonly aligned: boolean;
}

/** Undefined for cubic, and for images that are reflected beyond their border. */
export function gridSampling(attributes: AttributeReader): GridSampling | undefined {
  const mode = attributes.string("mode", "linear");
  const padding = attributes.string("padding_mode", "zeros");
  if (mode !== "linear" && mode !== "nearest") return undefined;
  if (padding !== "zeros" && padding !== "border") return undefined;
  return { mode, padding, aligned: attributes.int("align_corners", 0) !== 0 };
}
