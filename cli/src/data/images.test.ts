import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ValueInfo } from "@pare/runtime/format";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readImageFolder } from "./image-folder.js";
import { imageLayout, imageTensor } from "./image-tensor.js";
import { loadPreprocess } from "./choose-preprocess.js";
import { presets } from "./preprocess.js";
import { parsePreprocessorConfig } from "./preprocessor-config.js";

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../test-data/images/${name}`, import.meta.url));
const nchw: ValueInfo = { name: "image", type: "float32", dims: ["N", 3, 2, 2] };
// four.png in dog/: red green / blue white
const planes = [1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1];

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pare-images-"));
});
afterAll(() => rm(folder, { recursive: true }));

const tensor = (info: ValueInfo, preprocess = presets["0..1"], name = "dog/four.png") =>
  imageTensor(golden(name), imageLayout(info, preprocess), preprocess);

describe("an image as an input", () => {
  it("is planes where channels come first", async () => {
    const { dims, data } = await tensor(nchw);
    expect(dims).toEqual([1, 3, 2, 2]);
    expect([...data]).toEqual(planes);
  });

  it("is pixels where channels come last, and bytes as they are for uint8", async () => {
    const { dims, data } = await tensor({ name: "image", type: "uint8", dims: [null, 2, 2, 3] });
    expect(dims).toEqual([1, 2, 2, 3]);
    expect([...data]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]);
  });

  it("is normalized per channel", async () => {
    const { data } = await tensor(nchw, { ...presets.imagenet, edgeRatio: 1 });
    expect(data[0]).toBeCloseTo((1 - 0.485) / 0.229, 5);
    expect(data[4]).toBeCloseTo((0 - 0.456) / 0.224, 5);
    expect([...(await tensor(nchw, presets["-1..1"])).data]).toEqual(
      planes.map((value) => value * 2 - 1),
    );
  });

  it("is padded with grey by yolo's letterbox", async () => {
    const { data } = await tensor({ ...nchw, dims: [1, 3, 8, 8] }, presets.yolo, "cat/wide.png");
    const red = Array.from(data.slice(0, 64), Number).map((value) => Math.round(value * 255));
    expect(red.slice(0, 16)).toEqual(Array(16).fill(114));
    expect(red.slice(16, 48)).toEqual(Array(32).fill(0x80));
    expect(red.slice(48)).toEqual(Array(16).fill(114));
  });

  it("is grey for one channel, as PIL makes it", async () => {
    const grey = { ...nchw, type: "uint8", dims: [1, 1, 2, 2] } as const;
    const { dims, data } = await tensor(grey);
    expect(dims).toEqual([1, 1, 2, 2]);
    expect([...data]).toEqual([76, 150, 29, 255]);
    const path = join(folder, "grey.png");
    const bytes = Uint8Array.of(0, 3, 128, 255);
    await sharp(bytes, { raw: { width: 2, height: 2, channels: 1 } })
      .png()
      .toFile(path);
    const kept = await imageTensor(path, imageLayout(grey, presets["0..1"]), presets["0..1"]);
    expect([...kept.data]).toEqual([...bytes]);
    await rm(path);
  });

  it("has the colours under what is transparent, of whatever size, where the model takes no alpha", async () => {
    const path = join(folder, "clear.png");
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => [200, 100, 50, 0][at % 4] ?? 0);
    await sharp(bytes, { raw: { width: 8, height: 8, channels: 4 } })
      .png()
      .toFile(path);
    const of = async (size: number, channels: number): Promise<number[]> => {
      const info = { ...nchw, type: "uint8", dims: [1, size, size, channels] } as const;
      const layout = imageLayout(info, presets["0..1"]);
      const { data } = await imageTensor(path, layout, presets["0..1"]);
      return [...new Set(Array.from(data, Number))];
    };
    for (const size of [2, 8]) {
      expect(await of(size, 3)).toEqual([200, 100, 50]);
      expect(await of(size, 1)).toEqual([124]);
    }
    expect(await of(8, 4)).toEqual([200, 100, 50, 0]);
    await rm(path);
  });

  it.each([
    ["no image", { ...nchw, dims: [1, 128] }, "DATA_MISMATCH"],
    ["sound", { ...nchw, dims: [1, 1, 4000] }, "DATA_MISMATCH"],
    ["sound of any length", { ...nchw, dims: ["N", 1, "samples"] }, "DATA_MISMATCH"],
    ["whole numbers", { ...nchw, type: "int64" as const }, "DATA_MISMATCH"],
    ["a free size", { ...nchw, dims: ["N", 3, "h", "w"] }, "ARGUMENT"],
  ])("is refused for %s", (_, info, code) => {
    expect(() => imageLayout(info, presets["0..1"])).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    [12_000, 12_000],
    [0, 224],
    [-224, -224],
    [224.5, 224],
  ])("is refused where an image is to become %d × %d", (width, height) => {
    const config = { image_mean: [0], size: { height, width } };
    const free = { ...nchw, dims: ["N", 3, "h", "w"] };
    expect(() => imageLayout(free, parsePreprocessorConfig(config, "c"))).toThrow(
      expect.objectContaining({
        code: "ARGUMENT",
        message: expect.stringContaining(`images of ${width} × ${height} cannot be made`),
      }),
    );
  });
});

async function labelsIn(place: string): Promise<unknown[]> {
  const { samples } = await readImageFolder(place, [nchw], presets["0..1"]);
  const found = [];
  for await (const { id, label } of samples) found.push([id, label]);
  return found;
}

describe("a folder of images", () => {
  it("has its subfolders as labels, in sorted order", async () => {
    const { count } = await readImageFolder(golden("."), [nchw], presets["0..1"]);
    expect(count).toBe(3);
    expect(await labelsIn(golden("."))).toEqual([
      ["cat/four.png", 0],
      ["cat/wide.png", 0],
      ["dog/four.png", 1],
    ]);
  });

  it("follows links, which have their place among the labels", async () => {
    const place = join(folder, "linked");
    await cp(golden("cat"), join(place, "a"), { recursive: true });
    await symlink(golden("dog"), join(place, "b"), "junction");
    await mkdir(join(place, "c"));
    await symlink(golden("cat/four.png"), join(place, "c", "one.png"));
    // Nothing below a label's folder is read: a circle of links ends.
    await symlink(place, join(place, "c", "circle"), "junction");
    expect(await labelsIn(place)).toEqual([
      ["a/four.png", 0],
      ["a/wide.png", 0],
      ["b/four.png", 1],
      ["c/one.png", 2],
    ]);
    await rm(join(place, "a"), { recursive: true });
    await rm(join(place, "c"), { recursive: true });
    expect(await labelsIn(place)).toEqual([["b/four.png", 0]]);
    await symlink(join(place, "nowhere"), join(place, "a"), "junction");
    await expect(labelsIn(place)).rejects.toMatchObject({
      code: "DATA_NOT_FOUND",
      where: join(place, "a"),
    });
    await rm(place, { recursive: true });
  });

  it("is refused where a subfolder has no images, by its name", async () => {
    const place = join(folder, "emptied");
    await cp(golden("."), place, { recursive: true });
    await mkdir(join(place, "__MACOSX"));
    await writeFile(join(place, "__MACOSX", "._four.png"), "");
    await expect(labelsIn(place)).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringMatching(/none in "__MACOSX": are these labels or not/),
      where: join(place, "__MACOSX"),
    });
    for (const name of ["b", "c", "d"]) await mkdir(join(place, name));
    await expect(labelsIn(place)).rejects.toThrow(/none in "__MACOSX", "b", "c" and 1 more:/);
    await rm(place, { recursive: true });
  });

  it("has no labels without subfolders", async () => {
    const { samples } = await readImageFolder(golden("cat"), [nchw], presets["0..1"]);
    for await (const sample of samples) expect(sample).not.toHaveProperty("label");
  });

  it("says which image is damaged", async () => {
    await writeFile(join(folder, "broken.png"), "no image");
    const { samples } = await readImageFolder(folder, [nchw], presets["0..1"]);
    await expect(samples[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "DATA_INVALID",
      where: join(folder, "broken.png"),
    });
    await rm(join(folder, "broken.png"));
  });

  it("is refused without images, or with labels for some", async () => {
    await expect(readImageFolder(folder, [nchw], presets["0..1"])).rejects.toThrow(
      /holds no images/,
    );
    await cp(golden("."), folder, { recursive: true });
    await cp(golden("cat/four.png"), join(folder, "top.png"));
    await expect(readImageFolder(folder, [nchw], presets["0..1"])).rejects.toThrow(
      /are these labels or not/,
    );
  });
});

describe("preprocessing", () => {
  it("reads what transformers writes", () => {
    const vit = {
      do_normalize: true,
      do_rescale: true,
      do_resize: true,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
      resample: 2,
      rescale_factor: 1 / 255,
      size: { height: 224, width: 224 },
    };
    expect(parsePreprocessorConfig(vit, "c")).toMatchObject({
      fit: "stretch",
      size: { height: 224, width: 224 },
      mean: [0.5, 0.5, 0.5],
      kernel: "linear",
    });
    const clip = {
      crop_size: { height: 224, width: 224 },
      do_center_crop: true,
      do_resize: true,
      resample: 3,
      size: { shortest_edge: 256 },
      image_mean: [0.48],
      image_std: [0.26],
    };
    expect(parsePreprocessorConfig(clip, "c")).toMatchObject({
      fit: "crop",
      edgeRatio: 256 / 224,
      kernel: "cubic",
      mean: [0.48],
    });
    expect(() => parsePreprocessorConfig({ model_type: "bert" }, "c")).toThrow(
      /does not describe an image processor/,
    );
  });

  it("stretches to a size that is a number, and crops what is stretched, as ViT's and DeiT's processors do", () => {
    const of = (fields: object) => parsePreprocessorConfig({ image_mean: [0.5], ...fields }, "c");
    const whole = (edge: number) => ({ height: edge, width: edge });
    expect(of({ size: 224 })).toMatchObject({ fit: "stretch", size: whole(224) });
    const cropped = { do_center_crop: true, crop_size: 224 };
    for (const fields of [
      { size: 256, feature_extractor_type: "DeiTFeatureExtractor" },
      { size: whole(256) },
    ])
      expect(of({ ...cropped, ...fields })).toMatchObject({
        fit: "stretch-crop",
        edgeRatio: 256 / 224,
        size: whole(224),
      });
    expect(of({ ...cropped, size: 256 })).toMatchObject({ fit: "crop", edgeRatio: 256 / 224 });
  });

  it.each([0, -1, 1.5])("refuses a crop_pct of %d, which is no share", (share) => {
    const config = { image_mean: [0], crop_pct: share, size: { shortest_edge: 224 } };
    expect(() => parsePreprocessorConfig(config, "c")).toThrow(
      expect.objectContaining({ code: "DATA_INVALID", message: `c has a crop_pct of ${share}.` }),
    );
  });

  it("enlarges by crop_pct before it crops, as ConvNeXT's and PoolFormer's processors do", () => {
    const normalized = { do_rescale: true, image_mean: [0.5], image_std: [0.5] };
    const parsed = (fields: object) => parsePreprocessorConfig({ ...normalized, ...fields }, "c");
    const whole = (edge: number) => ({ height: edge, width: edge });
    for (const size of [{ shortest_edge: 224 }, 224])
      expect(parsed({ crop_pct: 0.875, size })).toMatchObject({
        fit: "crop",
        edgeRatio: 256 / 224,
        size: whole(224),
      });
    expect(parsed({ crop_pct: 0.95, size: { shortest_edge: 288 } })).toMatchObject({
      fit: "crop",
      edgeRatio: 303 / 288,
    });
    // From 384 on nothing is cropped.
    expect(parsed({ crop_pct: 0.875, size: { shortest_edge: 384 } })).toMatchObject({
      fit: "stretch",
      size: whole(384),
    });
    const pooled = { crop_pct: 0.9, do_center_crop: true, crop_size: whole(224) };
    for (const size of [{ shortest_edge: 224 }, whole(224)])
      expect(parsed({ ...pooled, size })).toMatchObject({
        fit: "crop",
        edgeRatio: 248 / 224,
        size: whole(224),
      });
  });

  describe("of a processor that is more than scaling", () => {
    const info = { ...nchw, dims: [1, 3, 2, 2] };
    const pixels = async (fields: object, name?: string) => {
      const config = { size: { height: 2, width: 2 }, ...fields };
      const { data } = await tensor(info, parsePreprocessorConfig(config, "c"), name);
      return Array.from(data, Number).map((value) => Number(value.toFixed(5)));
    };
    const bgr = [8, 4, 0].flatMap((plane) => planes.slice(plane, plane + 4));
    const half = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };

    it("swaps red and blue as MobileViT's, which has no mean", async () => {
      const flipped = { do_flip_channel_order: true };
      expect(await pixels(flipped)).toEqual(bgr);
      const preprocess = parsePreprocessorConfig({ size: 2, ...flipped }, "c");
      const bytes = { name: "image", type: "uint8", dims: [1, 2, 2, 3] } as const;
      const { data } = await tensor(bytes, preprocess);
      expect([...data].slice(0, 6)).toEqual([0, 0, 255, 0, 255, 0]);
      const type = { image_processor_type: "MobileViTImageProcessor", ...half };
      expect(await pixels(type)).toEqual(bgr);
      expect(await pixels({ ...type, do_flip_channel_order: false })).toEqual(planes);
    });

    it("shifts and divides again as EfficientNet's", async () => {
      // As its own processor gives them, of 255 and 0.
      const cases = [
        [{ include_top: true }, 2, -2],
        [{ rescale_offset: true, rescale_factor: 1 / 127.5 }, 1, -3],
        [{ rescale_offset: true, rescale_factor: 1 / 127.5, include_top: true }, 2, -6],
        [{ do_normalize: false, include_top: true }, 2, 0],
        [{ do_rescale: false, rescale_offset: true, do_normalize: false }, 255, 0],
        [{ image_processor_type: "EfficientNetImageProcessor" }, 2, -2],
      ] as const;
      for (const [fields, most, least] of cases)
        expect(await pixels({ ...half, ...fields })).toEqual(
          planes.map((value) => (value === 1 ? most : least)),
        );
    });

    it("cuts the middle out where it resizes nothing, beside black where a picture is too small", async () => {
      const cropped = { do_rescale: true, do_resize: false, do_center_crop: true, crop_size: 2 };
      expect(await pixels(cropped)).toEqual(planes);
      const path = join(folder, "numbered.png");
      const bytes = Uint8Array.from({ length: 15 }, (_, at) => at + 1);
      await sharp(bytes, { raw: { width: 5, height: 3, channels: 1 } })
        .withMetadata({ orientation: 6 })
        .png()
        .toFile(path);
      const of = async (height: number, width: number, fields: object) => {
        const preprocess = parsePreprocessorConfig({ ...cropped, ...fields }, "c");
        const layout = imageLayout({ ...nchw, type: "uint8", dims: [1, 1, height, width] }, preprocess); // prettier-ignore
        return [...(await imageTensor(path, layout, preprocess)).data];
      };
      // Turned it is 3 wide and 5 tall: 11 6 1, 12 7 2, 13 8 3, 14 9 4, 15 10 5.
      expect(await of(2, 2, {})).toEqual([12, 7, 13, 8]);
      expect(await of(2, 6, {})).toEqual([0, 12, 7, 2, 0, 0, 0, 13, 8, 3, 0, 0]);
      const uncropped = { do_center_crop: false };
      expect((await of(5, 3, uncropped)).slice(0, 3)).toEqual([11, 6, 1]);
      await expect(of(5, 5, uncropped)).rejects.toMatchObject({
        code: "DATA_INVALID",
        message: expect.stringContaining("it is 3 × 5, the model takes 5 × 5"),
      });
      await rm(path);
    });

    it("enlarges as ConvNeXT's where the file leaves crop_pct out, and stretches as BEiT's", () => {
      const of = (type: string, fields: object) =>
        parsePreprocessorConfig({ image_processor_type: type, ...fields }, "c");
      const size = { shortest_edge: 224 };
      expect(of("ConvNextImageProcessor", { size })).toMatchObject({ edgeRatio: 256 / 224 });
      const cropped = { size: 256, do_center_crop: true, crop_size: 224 };
      expect(of("BeitFeatureExtractor", cropped)).toMatchObject({ fit: "stretch-crop" });
      expect(of("ViTImageProcessor", { size, image_mean: 0.5 })).toMatchObject({ mean: [0.5] });
    });

    it.each([
      { do_pad: true },
      { do_grayscale: true },
      { do_thumbnail: true },
      { keep_aspect_ratio: true },
      { size_divisor: 32 },
      { size: { longest_edge: 980 } },
      { resample: 4 },
    ])("is refused where it does what is not done here: %j", (fields) => {
      const config = { image_mean: [0.5], ...fields };
      expect(() => parsePreprocessorConfig(config, "c")).toThrow(
        expect.objectContaining({
          code: "DATA_INVALID",
          message: expect.stringContaining(`c has ${Object.keys(fields).join()}: `),
        }),
      );
    });

    it("is taken where that is off, or of labels alone", () => {
      const off = { do_pad: false, do_grayscale: null, size_divisor: null, do_reduce_labels: true };
      const config = { image_mean: [0.5], do_convert_rgb: true, ...off };
      expect(parsePreprocessorConfig(config, "c")).toMatchObject({ mean: [0.5], order: "rgb" });
    });
  });

  it("knows its presets by name", async () => {
    expect(await loadPreprocess("yolo")).toBe(presets.yolo);
    await expect(loadPreprocess("tensorflow")).rejects.toMatchObject({
      code: "ARGUMENT",
      hint: expect.stringContaining("imagenet"),
    });
  });
});
