/** How an image becomes a model's input. */
export interface Preprocess {
  readonly name: string;
  /**
   * `crop`: the shorter edge to `size × edgeRatio`, then the middle; `stretch-crop`: both edges to that, then the middle;
   * `letterbox`: all of it, padded; `stretch`: all of it; `middle`: the middle at its own size, beside black where that is too
   * small; `none`: all of it, which has the size.
   */
  readonly fit: "crop" | "letterbox" | "stretch" | "stretch-crop" | "middle" | "none";
  readonly edgeRatio: number;
  readonly kernel: "nearest" | "linear" | "cubic" | "lanczos3";
  /** A value of 0 to 255 becomes (value × scale − mean) / std, per channel. */
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Of the colours. */
  readonly order: "rgb" | "bgr";
  /** Fills what a letterbox leaves, 0 to 255. */
  readonly pad: number;
  /** Where the model's own height and width are free. */
  readonly size: { readonly height: number; readonly width: number } | null;
}

const plain: Preprocess = {
  name: "0..1",
  fit: "stretch",
  edgeRatio: 1,
  kernel: "linear",
  scale: 1 / 255,
  mean: [0],
  std: [1],
  order: "rgb",
  pad: 0,
  size: null,
};

export const presets: Readonly<Record<"imagenet" | "0..1" | "-1..1" | "yolo", Preprocess>> = {
  imagenet: {
    ...plain,
    name: "imagenet",
    fit: "crop",
    edgeRatio: 256 / 224,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    size: { height: 224, width: 224 },
  },
  "0..1": plain,
  "-1..1": { ...plain, name: "-1..1", mean: [0.5], std: [0.5] },
  yolo: { ...plain, name: "yolo", fit: "letterbox", pad: 114, size: { height: 640, width: 640 } },
};
