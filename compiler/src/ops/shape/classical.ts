import type { Dtype } from "@pare/runtime/format";
import { type Dim, dim, type Inferred, tensorType } from "../../ir/index.js";
import type { Every } from "../schema/cells.js";
import type { classicalSchemas } from "../schema/classical.js";
import { sameAsInput, tensorOf } from "./inferred.js";
import type { InferContext, ShapeRule } from "./rule.js";

/** How many samples there are: without an axis for them, one. */
function samples(context: InferContext): Dim | undefined {
  const shape = context.shape(0);
  return shape?.length === 1 ? 1 : shape?.[0];
}

/** A row of so many numbers for every sample. */
function scores(context: InferContext, count: Dim | undefined): Inferred {
  const rows = samples(context);
  const known = typeof count === "number" && count < 1 ? undefined : count;
  const shape = rows === undefined ? undefined : [rows, known ?? dim.unknown()];
  return { type: tensorType("float32", shape) };
}

const floatsAlike: ShapeRule = (context) => tensorOf("float32", context.shape(0));

/** A label for every sample, and scores. */
function labelled(
  integers: string,
  scoresOf: (context: InferContext, labels: number) => Dim | undefined,
): ShapeRule {
  return (context) => {
    const texts = countOf(context, "classlabels_strings");
    const labels = texts > 0 ? texts : countOf(context, integers);
    const rows = samples(context);
    const dtype: Dtype = texts > 0 ? "string" : "int64";
    const label = tensorType(dtype, rows === undefined ? undefined : [rows]);
    return [{ type: label }, scores(context, scoresOf(context, labels))];
  };
}

/** Of a list's elements; 0 where there is none. */
function countOf({ attributes }: InferContext, name: string): number {
  const found = attributes.get(name);
  return found?.type === "strings" || found?.type === "ints" || found?.type === "floats"
    ? found.value.length
    : 0;
}

/** The types that a table of keys and values leads to, by which of its attributes is there. */
const valueTypes: readonly (readonly [name: string, dtype: Dtype])[] = [
  ["values_strings", "string"],
  ["values_int64s", "int64"],
  ["values_floats", "float32"],
];

export const classicalShapes: Every<typeof classicalSchemas, ShapeRule> = {
  "ai.onnx.ml::ArrayFeatureExtractor"(context) {
    const [shape, places] = [context.shape(0), context.shape(1)];
    const count = places?.length === 0 ? 1 : places?.at(-1);
    if (shape === undefined || count === undefined) return tensorOf(context.dtype(0), undefined);
    const before = shape.length === 1 ? [1] : shape.slice(0, -1);
    return tensorOf(context.dtype(0), [...before, count]);
  },
  "ai.onnx.ml::Binarizer": sameAsInput,
  "ai.onnx.ml::FeatureVectorizer"(context) {
    const sizes = context.attributes.ints("inputdimensions");
    return [
      scores(
        context,
        sizes?.reduce((sum, size) => sum + size, 0),
      ),
    ];
  },
  "ai.onnx.ml::Imputer": sameAsInput,
  "ai.onnx.ml::LabelEncoder"(context) {
    const [, dtype] = valueTypes.find(([name]) => context.attributes.has(name)) ?? [];
    const table = context.attributes.get("values_tensor");
    return tensorOf(table?.type === "tensor" ? table.value.dtype : dtype, context.shape(0));
  },
  /** Two labels and one intercept: the other class has what is left. */
  "ai.onnx.ml::LinearClassifier": labelled("classlabels_ints", (context, labels) => {
    const own = countOf(context, "intercepts");
    return own === 1 && labels === 2 ? 2 : own;
  }),
  "ai.onnx.ml::LinearRegressor": (context) => [
    scores(context, context.attributes.int("targets", 1)),
  ],
  "ai.onnx.ml::Normalizer": floatsAlike,
  "ai.onnx.ml::OneHotEncoder"(context) {
    const categories = countOf(context, "cats_int64s") || countOf(context, "cats_strings");
    const shape = context.shape(0);
    return tensorOf("float32", shape && [...shape, categories]);
  },
  /** By classes; by pairs of them where vectors are compared and nothing was fitted to tell probabilities. */
  "ai.onnx.ml::SVMClassifier": labelled("classlabels_ints", (context, labels) => {
    const isPlain = countOf(context, "vectors_per_class") > 0 && countOf(context, "prob_a") === 0;
    return isPlain && labels > 2 ? (labels * (labels - 1)) / 2 : labels;
  }),
  "ai.onnx.ml::SVMRegressor": (context) => [scores(context, 1)],
  "ai.onnx.ml::Scaler": floatsAlike,
  "ai.onnx.ml::TreeEnsembleClassifier": labelled("classlabels_int64s", (_, labels) => labels),
  "ai.onnx.ml::TreeEnsembleRegressor": (context) => [
    scores(context, context.attributes.int("n_targets", 1)),
  ],
  /** A sequence of maps, as the file declares it. */
  "ai.onnx.ml::ZipMap": () => [],
};
