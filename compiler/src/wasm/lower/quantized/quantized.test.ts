import * as fc from "fast-check";
import { expect, it } from "vitest";
import { cases } from "../../cases.test.support.js";
import { attribute, type Attributes, type ValueId } from "../../../ir/index.js";
import { graphOf } from "../../../rules/rule-case.test.support.js";
import { planOf } from "../../compile.js";
import { withoutBaselineCompiler } from "../../kernels/kernel-case.test.support.js";
import { isExact } from "./exactness.test.support.js";
import {
  bias,
  expectAgreement,
  type How,
  how,
  list,
  rounded,
  size,
  weights,
  weightsHow,
} from "./quantized-case.test.support.js";

withoutBaselineCompiler();

it("convolves integers of any quantizer: axes, groups, strides, dilations, pads, what follows", async () => {
  const problem = size(1, 2).chain((rank) =>
    fc.record({
      batch: size(1, 2),
      sizes: list(rank, 5, 9),
      kernel: list(rank, 1, 3),
      strides: list(rank, 1, 2),
      dilations: list(rank, 1, 2),
      pads: list(rank * 2, 0, 2),
      group: size(1, 3),
      depth: size(1, 9),
      maps: size(1, 9),
      isDepthwise: fc.boolean(),
      hasBias: fc.boolean(),
      input: how,
      weightsHow,
      output: fc.option(how),
      follower: fc.constantFrom(
        "none",
        "relu",
        "clip",
        "hard-swish",
        "residual",
        "rounded-residual",
      ),
      fixed: how,
    }),
  );
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, sizes, kernel, input, output, follower, ...p }) => {
      const group = p.isDepthwise ? p.depth : p.group;
      const depth = p.isDepthwise ? 1 : p.depth;
      const maps = p.isDepthwise ? p.depth : p.maps * p.group;
      const attributes: Attributes = {
        strides: attribute.ints(p.strides),
        dilations: attribute.ints(p.dilations),
        pads: attribute.ints(p.pads),
        group: attribute.int(group),
      };
      const results = sizes.map((length, axis) => {
        const span = ((kernel[axis] ?? 1) - 1) * (p.dilations[axis] ?? 1) + 1;
        const pads = (p.pads[axis] ?? 0) + (p.pads[axis + sizes.length] ?? 0);
        return Math.floor((length + pads - span) / (p.strides[axis] ?? 1)) + 1;
      });
      const graph = graphOf(
        {
          x: ["float32", batch, depth * group, ...sizes],
          z: ["float32", batch, maps, ...results],
        },
        (inputOf, b) => {
          const x = rounded(b, inputOf("x"), input);
          const w = weights(b, [maps, depth, ...kernel], 0, p.weightsHow);
          const inputs = p.hasBias ? [x, w, bias(b, maps, p.weightsHow, input)] : [x, w];
          let y = b.add("Conv", inputs, attributes);
          if (follower === "relu") y = b.add("Relu", [y]);
          if (follower === "hard-swish") y = b.add("HardSwish", [y]);
          if (follower === "clip") y = b.add("Clip", [y, b.floats([-0.1]), b.floats([0.25])]);
          if (follower.endsWith("residual")) {
            if (follower === "rounded-residual") y = rounded(b, y, p.fixed);
            y = b.add("Add", [y, rounded(b, inputOf("z"), p.fixed)]);
          }
          return { y: output === null ? y : rounded(b, y, output) };
        },
      );
      const isSum = follower.endsWith("residual");
      const kernels = await expectAgreement(
        graph,
        Math.max(output?.scale ?? 0, isSum ? p.fixed.scale : 0, 1e-5),
      );
      const wanted =
        p.isDepthwise && p.depth > 1 ? ["depthwise-i8"] : ["matrix-i8", "depthwise-i8"];
      expect(kernels.some((kernel) => wanted.includes(kernel))).toBe(true);
    }),
    { numRuns: cases(60) },
  );
}, 120_000);

it("multiplies rows of integers with matrices: turned or not, biases, flattened images", async () => {
  const problem = fc.record({
    rows: size(1, 7),
    depth: size(1, 21),
    columns: size(1, 19),
    turned: fc.boolean(),
    op: fc.constantFrom("Gemm", "MatMul"),
    batch: size(1, 3),
    image: fc.boolean(),
    hasBias: fc.boolean(),
    input: how,
    weightsHow,
    output: fc.option(how),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ rows, depth, columns, turned, op, batch, image, ...p }) => {
      const isGemm = op === "Gemm";
      const dims =
        isGemm && image ? [rows, depth, 2, 3] : isGemm ? [rows, depth] : [batch, rows, depth];
      const summed = isGemm && image ? depth * 6 : depth;
      const graph = graphOf({ x: ["float32", ...dims] }, (inputOf, b) => {
        let x = rounded(b, inputOf("x"), p.input);
        if (isGemm && image) {
          const pointwise = weights(b, [depth, depth, 1, 1], 0, p.weightsHow);
          x = rounded(b, b.add("Conv", [x, pointwise]), p.input);
          x = b.add("Flatten", [x]);
        }
        const isTurned = turned && isGemm;
        const w = weights(
          b,
          isTurned ? [columns, summed] : [summed, columns],
          isTurned ? 0 : 1,
          p.weightsHow,
        );
        const inputs =
          isGemm && p.hasBias ? [x, w, bias(b, columns, p.weightsHow, p.input)] : [x, w];
        const y = b.add(op, inputs, isTurned ? { transB: attribute.int(1) } : {});
        return { y: p.output === null ? y : rounded(b, y, p.output) };
      });
      // An image's element that is rounded the other way comes times a weight, which is below 3.
      const ofImage = image && isGemm ? 3 * p.input.scale : 0;
      const step = Math.max(p.output?.scale ?? 0, ofImage, 1e-5);
      expect(await expectAgreement(graph, step)).toContain("matrix-i8");
    }),
    { numRuns: cases(50) },
  );
}, 120_000);

it("convolves what products of rows gave: pads around its rows, one channel and more", async () => {
  const problem = fc.record({
    dims: fc.tuple(size(1, 2), size(1, 2), size(2, 5), size(1, 9)),
    columns: size(2, 11),
    pads: list(4, 0, 2),
    input: how,
    middle: how,
    weightsHow,
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ dims, columns, pads, input, middle, ...p }) => {
      const graph = graphOf({ x: ["float32", ...dims] }, (inputOf, b) => {
        const matrix = weights(b, [dims[3], columns], 1, p.weightsHow);
        const rows = b.add("MatMul", [rounded(b, inputOf("x"), input), matrix]);
        const kernel = weights(b, [3, dims[1], 2, 2], 0, p.weightsHow);
        const image = [rounded(b, rows, middle), kernel];
        return { y: b.add("Conv", image, { pads: attribute.ints(pads) }) };
      });
      // An element that is rounded the other way comes times a weight, which is below 1.
      expect(await expectAgreement(graph, middle.scale)).toContain("matrix-i8");
    }),
    { numRuns: cases(40) },
  );
});

it("pools, joins, moves and maps integers without making floats of them", async () => {
  const body = fc.constantFrom(
    "MaxPool",
    "AveragePool",
    "padded-average",
    "GlobalAveragePool",
    "Concat",
    "Add",
    "Mul",
    "gate",
    "Transpose",
    "Reshape",
    "Slice",
    "Pad",
    "HardSwish",
    "silu",
    "chain",
  );
  const problem = fc.record({
    body,
    batch: size(1, 2),
    channels: size(1, 21),
    height: size(3, 6),
    width: size(3, 6),
    one: how,
    two: how,
    output: how,
    alike: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ batch, channels, height, width, one, output, ...p }) => {
      const dims = [batch, channels, height, width];
      const two = p.alike ? one : p.two;
      const pool = { kernel_shape: attribute.ints([2, 3]), strides: attribute.ints([2, 1]) };
      const padded = { ...pool, pads: attribute.ints([1, 1, 0, 1]) };
      const graph = graphOf({ x: ["float32", ...dims], z: ["float32", ...dims] }, (inputOf, b) => {
        const [x, z] = [rounded(b, inputOf("x"), one), rounded(b, inputOf("z"), two)];
        const gate = () => rounded(b, b.add("GlobalAveragePool", [z]), two);
        const bodies: Readonly<Record<string, () => ValueId>> = {
          MaxPool: () => b.add("MaxPool", [x], padded),
          AveragePool: () => b.add("AveragePool", [x], padded),
          "padded-average": () =>
            b.add("AveragePool", [x], { ...padded, count_include_pad: attribute.int(1) }),
          GlobalAveragePool: () => b.add("GlobalAveragePool", [x]),
          Concat: () => b.add("Concat", [x, z], { axis: attribute.int(1) }),
          Add: () => b.add("Relu", [b.add("Add", [x, z])]),
          Mul: () => b.add("Mul", [x, z]),
          gate: () => b.add("Mul", [x, gate()]),
          Transpose: () => b.add("Transpose", [x], { perm: attribute.ints([0, 2, 3, 1]) }),
          Reshape: () => b.add("Reshape", [x, b.ints([batch, -1, width])]),
          Slice: () => b.add("Slice", [x, b.ints([1]), b.ints([3]), b.ints([2])]),
          Pad: () => b.add("Pad", [x, b.ints([0, 0, 1, 0, 0, 2, 0, 1])]),
          HardSwish: () => b.add("HardSwish", [x]),
          silu: () => b.add("Mul", [x, b.add("Sigmoid", [x])]),
          chain: () => b.add("Tanh", [b.add("Mul", [b.add("Neg", [x]), b.floats([0.5])])]),
        };
        const y = bodies[p.body]?.() ?? x;
        return { y: rounded(b, y, output) };
      });
      const kernels = await expectAgreement(
        graph,
        output.scale + (p.body === "gate" ? two.scale : 0),
      );
      const computing = kernels.filter((kernel) => !isExact(kernel));
      expect(computing).toEqual([]);
    }),
    { numRuns: cases(120) },
  );
}, 120_000);

it("bounds bytes that zeros were added to by what they are bounded by already", async () => {
  const seven: How = { type: "uint8", scale: Math.fround(0.02), zeroPoint: 9, bits: 7 };
  const graph = graphOf({ x: ["float32", 1, 8, 5, 5] }, (inputOf, b) => {
    const x = rounded(b, inputOf("x"), seven);
    const wider = rounded(b, b.add("Pad", [x, b.ints([0, 0, 0, 0, 0, 8, 0, 0])]), seven);
    const w = weights(b, [8, 16, 1, 1], 0, { type: "int8", perChannel: true });
    return { y: rounded(b, b.add("Conv", [wider, w]), seven) };
  });
  const kernels = await expectAgreement(graph, seven.scale);
  // Those that scale back what leaves the model are the only look-up.
  expect(kernels.filter((kernel) => kernel === "look-up-i8")).toHaveLength(1);
});

it("computes a function of a convolution's result before it is rounded, and its bounds after", async () => {
  const seven: How = { type: "uint8", scale: Math.fround(0.02), zeroPoint: 9, bits: 7 };
  for (const group of [1, 16]) {
    const graph = graphOf({ x: ["float32", 1, 16, 5, 5] }, (inputOf, b) => {
      const x = rounded(b, inputOf("x"), seven);
      const w = weights(b, [16, 16 / group, 3, 3], 0, { type: "int8", perChannel: true });
      const y = b.add("Conv", [x, w], { group: attribute.int(group) });
      const bounded = b.add("Clip", [b.add("HardSwish", [y]), b.floats([-0.1]), b.floats([0.9])]);
      return { y: rounded(b, bounded, seven) };
    });
    const kernels = await expectAgreement(graph, seven.scale);
    const sums = group === 1 ? "matrix-i8" : "depthwise-i8";
    const computing = kernels.filter((kernel) => kernel.endsWith("-i8"));
    expect(computing).toEqual(["quantize-i8", sums, "look-up-i8"]);
  }
});

it("rounds an image at once as a convolution reads it, however its channels lie", async () => {
  const seven: How = { type: "uint8", scale: Math.fround(0.02), zeroPoint: 9, bits: 7 };
  for (const isLast of [false, true]) {
    const dims = isLast ? [1, 6, 7, 3] : [1, 3, 6, 7];
    const graph = graphOf({ x: ["float32", ...dims] }, (inputOf, b) => {
      let x = rounded(b, inputOf("x"), seven);
      if (isLast) x = b.add("Transpose", [x], { perm: attribute.ints([0, 3, 1, 2]) });
      const w = weights(b, [8, 3, 3, 3], 0, { type: "int8", perChannel: true });
      const pads = { pads: attribute.ints([1, 1, 1, 1]) };
      return { y: rounded(b, b.add("Conv", [x, w], pads), seven) };
    });
    const kernels = await expectAgreement(graph, seven.scale);
    // Nothing but what is around it is written between.
    const first = kernels.slice(0, kernels.indexOf("matrix-i8"));
    expect(first.filter((kernel) => kernel !== "fill")).toEqual(["quantize-i8"]);
  }
});

it("computes a large result in blocks of all channels", async () => {
  const seven: How = { type: "uint8", scale: Math.fround(0.02), zeroPoint: 9, bits: 7 };
  const graph = graphOf({ x: ["float32", 1, 8, 48, 48] }, (inputOf, b) => {
    const x = rounded(b, inputOf("x"), seven);
    const w = weights(b, [20, 8, 1, 1], 0, { type: "int8", perChannel: true });
    return { y: rounded(b, b.add("Conv", [x, w]), seven) };
  });
  const { steps } = await planOf(graph);
  const product = steps.find(({ kernel }) => kernel === "matrix-i8");
  // Of its 2304 columns of 28 bytes, the most that divide them and stay in 24 KiB.
  expect(product?.key).toContain('"block":768');
  await expectAgreement(graph, seven.scale);
});

it("leaves what convolutions and pools round where whatever reads it finds it", async () => {
  const problem = fc.record({
    op: fc.constantFrom("Conv", "depthwise", "MaxPool", "AveragePool", "GlobalAveragePool"),
    channels: size(1, 6),
    sizes: list(2, 2, 5),
    flat: fc.boolean(),
    input: how,
    weightsHow,
    output: how,
    readers: fc.array(
      fc.constantFrom("right", "left", "floats", "transposed", "flattened", "Relu"),
      { minLength: 1, maxLength: 2 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(problem, async ({ op, channels, sizes, flat, readers, ...p }) => {
      const image = flat ? sizes.slice(1) : sizes;
      const graph = graphOf({ x: ["float32", 1, channels, ...image] }, (inputOf, b) => {
        const x = rounded(b, inputOf("x"), p.input);
        const isPool = op.endsWith("Pool");
        const group = op === "depthwise" ? channels : 1;
        const kernel = image.map(() => 1);
        const made = isPool
          ? b.add(op, [x], op.startsWith("Global") ? {} : { kernel_shape: attribute.ints(kernel) })
          : b.add("Conv", [x, weights(b, [channels, channels / group, ...kernel], 0, p.weightsHow)], { group: attribute.int(group) }); // prettier-ignore
        const { type } = p.input;
        const read = rounded(b, made, {
          ...p.output,
          type,
          bits: type === "int8" ? 8 : p.output.bits,
        });
        const places = op.startsWith("Global") ? image.map(() => 1) : image;
        const [height = 1, width = height] = places.slice(-2);
        const rank = 2 + image.length;
        const stack = Array.from({ length: rank - 2 }, () => 1);
        const rows = flat ? channels : height;
        const reading: Readonly<Record<string, () => ValueId>> = {
          right: () => b.add("MatMul", [read, weights(b, [width, 3], 1, p.weightsHow)]),
          left: () => b.add("MatMul", [weights(b, [2, rows], 1, { ...p.weightsHow, perChannel: false }), read]), // prettier-ignore
          floats: () => b.add("MatMul", [read, b.weights(...stack, width, 3)]),
          // Of int8 onnxruntime's own rewriting of this makes a node of two types.
          transposed: () => b.add(type === "int8" ? "Relu" : "Transpose", [read]),
          flattened: () => b.add("Flatten", [read]),
          Relu: () => b.add("Relu", [read]),
        };
        return Object.fromEntries(
          readers.map((reader, at) => [`y${at}`, reading[reader]?.() ?? read]),
        );
      });
      // Rounded a step aside, a product is so far off.
      await expectAgreement(graph, p.output.scale * 10);
    }),
    { numRuns: cases(80) },
  );
}, 120_000);
