import { type Graph, type Node, type Tensor, type ValueId, shapeOf } from "../ir/index.js";
import { normalAxis } from "../ops/families/indexing.js";
import { attributesOf, inputOf, madeBy, numbersOf } from "./pattern.js";
import { behindIdentity } from "./scan-parts.js";

/** Columns of a matrix [inputs, columns], or of its transpose, that something is multiplied with. */
export interface Product {
  readonly source: ValueId;
  readonly weights: Tensor;
  readonly isTransposed: boolean;
  readonly from: number;
}

/** Elements of a vector, from one on. */
export interface Part {
  readonly tensor: Tensor;
  readonly from: number;
}

/** A sum of products of sources with constant matrices, and of constant vectors. */
export interface AffineForm {
  readonly width: number;
  readonly products: readonly Product[];
  readonly biases: readonly Part[];
}

/** Nodes between a value and the products that it is a sum of, each as often as it is read: no file is to take long. */
const mostVisits = 128;

/** What a value is of sources; undefined where it is more than such a sum. */
export function affineForm(
  graph: Graph,
  value: ValueId | undefined,
  isSource: (id: ValueId) => boolean,
): AffineForm | undefined {
  let left = mostVisits;
  const visit = (id: ValueId | undefined): AffineForm | undefined => {
    left -= 1;
    return id === undefined || left < 0 ? undefined : formOf(graph, id, isSource, visit);
  };
  return visit(value);
}

function formOf(
  graph: Graph,
  value: ValueId,
  isSource: (id: ValueId) => boolean,
  of: (id: ValueId | undefined) => AffineForm | undefined,
): AffineForm | undefined {
  const constant = graph.constant(value);
  if (constant !== undefined) return biasOf(constant);
  const node = graph.producer(value);
  if (node === undefined || node.domain !== "") return undefined;
  switch (node.op) {
    case "MatMul":
      return productOf(graph, node, isSource, false);
    case "Gemm":
      return gemmOf(graph, node, isSource, of);
    case "Add":
      return sumOf(of(inputOf(node, 0)), of(inputOf(node, 1)));
    case "Identity":
      return of(inputOf(node, 0));
    case "Squeeze":
    case "Unsqueeze": {
      const [before, after] = [shapeOf(graph, inputOf(node, 0)), shapeOf(graph, value)];
      return before?.at(-1) !== undefined && before.at(-1) === after?.at(-1)
        ? of(inputOf(node, 0))
        : undefined;
    }
    case "Split":
    case "Slice": {
      const columns = columnsOf(graph, node, value);
      const form = of(inputOf(node, 0));
      return columns && form && columnsOfForm(form, columns);
    }
    default:
      return undefined;
  }
}

/** Both sums together; undefined where one is none, or they are not as wide. */
export function sumOf(
  one: AffineForm | undefined,
  other: AffineForm | undefined,
): AffineForm | undefined {
  if (one === undefined || other === undefined || one.width !== other.width) return undefined;
  return {
    width: one.width,
    products: [...one.products, ...other.products],
    biases: [...one.biases, ...other.biases],
  };
}

/** Constants of which a form is made. */
export function tensorsOf({ products, biases }: AffineForm): readonly Tensor[] {
  return [...products.map(({ weights }) => weights), ...biases.map(({ tensor }) => tensor)];
}

function biasOf(tensor: Tensor): AffineForm | undefined {
  const width = tensor.dims.at(-1);
  if (tensor.dtype !== "float32" || width === undefined || tensor.count !== width) return undefined;
  return { width, products: [], biases: [{ tensor, from: 0 }] };
}

function productOf(
  graph: Graph,
  node: Node,
  isSource: (id: ValueId) => boolean,
  isTransposed: boolean,
): AffineForm | undefined {
  const source = behindIdentity(graph, inputOf(node, 0));
  const matrix = matrixOf(graph, inputOf(node, 1), isTransposed);
  if (source === undefined || !isSource(source) || matrix === undefined) return undefined;
  const { width, ...columns } = matrix;
  return { width, products: [{ source, ...columns }], biases: [] };
}

type Matrix = Omit<Product, "source"> & { readonly width: number };

/** A constant matrix, or columns of one that others read too: as a constant of its own it would be in the file twice. */
function matrixOf(
  graph: Graph,
  value: ValueId | undefined,
  isTransposed: boolean,
): Matrix | undefined {
  const weights = graph.constant(value);
  if (weights !== undefined) {
    const width = weights.dims[isTransposed ? 0 : 1];
    const isMatrix = weights.dims.length === 2 && weights.dtype === "float32";
    return isMatrix && width !== undefined ? { weights, isTransposed, from: 0, width } : undefined;
  }
  const node = madeBy(graph, value, "Split", "Slice", "Transpose");
  if (value === undefined || node === undefined) return undefined;
  const whole = inputOf(node, 0);
  if (node.op === "Transpose") {
    const isTurned = attributesOf(node).ints("perm")?.[0] !== 0;
    return isTurned ? matrixOf(graph, whole, !isTransposed) : undefined;
  }
  if (isTransposed) return undefined;
  const [columns, matrix] = [columnsOf(graph, node, value), matrixOf(graph, whole, false)];
  if (columns === undefined || matrix === undefined) return undefined;
  const { from, width } = columns;
  return from + width > matrix.width ? undefined : { ...matrix, from: matrix.from + from, width };
}

function gemmOf(
  graph: Graph,
  node: Node,
  isSource: (id: ValueId) => boolean,
  of: (id: ValueId | undefined) => AffineForm | undefined,
): AffineForm | undefined {
  const attributes = attributesOf(node);
  const isPlain =
    attributes.float("alpha", 1) === 1 &&
    attributes.float("beta", 1) === 1 &&
    attributes.int("transA", 0) === 0;
  const product = productOf(graph, node, isSource, attributes.int("transB", 0) !== 0);
  if (!isPlain || product === undefined) return undefined;
  return inputOf(node, 2) === undefined ? product : sumOf(product, of(inputOf(node, 2)));
}

interface Columns {
  readonly from: number;
  readonly width: number;
}

/** Of the last axis, what a Split or Slice leaves; undefined where it is along another one too. */
function columnsOf(graph: Graph, node: Node, value: ValueId): Columns | undefined {
  const [whole, part] = [shapeOf(graph, inputOf(node, 0)), shapeOf(graph, value)];
  const [all, width] = [whole?.at(-1), part?.at(-1)];
  if (whole === undefined || typeof all !== "number" || typeof width !== "number") return undefined;
  const last = whole.length - 1;
  if (node.op === "Split") {
    if (normalAxis(attributesOf(node).int("axis", 0), whole.length) !== last) return undefined;
    const before = node.outputs.slice(0, node.outputs.indexOf(value));
    const sizes = before.map((id) => (id === null ? undefined : shapeOf(graph, id)?.at(-1)));
    let from = 0;
    for (const size of sizes) {
      if (typeof size !== "number") return undefined;
      from += size;
    }
    return { from, width };
  }
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((at) => numbersOf(graph, inputOf(node, at)));
  if (starts === undefined || ends === undefined) return undefined;
  let from = 0;
  for (const [at, start] of starts.entries()) {
    const axis = normalAxis(axes?.[at] ?? at, whole.length);
    if ((steps?.[at] ?? 1) !== 1) return undefined;
    if (axis === last) from = Math.min(start < 0 ? start + all : start, all);
    // To the end, however long that is.
    else if (start !== 0 || (ends[at] ?? 0) < 2 ** 31 - 1) return undefined;
  }
  return from < 0 ? undefined : { from, width };
}

function columnsOfForm(form: AffineForm, { from, width }: Columns): AffineForm | undefined {
  if (from + width > form.width) return undefined;
  return {
    width,
    products: form.products.map((one) => ({ ...one, from: one.from + from })),
    biases: form.biases.map((one) => ({ ...one, from: one.from + from })),
  };
}
