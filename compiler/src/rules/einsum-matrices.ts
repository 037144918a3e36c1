import {
  common,
  grouped,
  joined,
  ordered,
  ownOf,
  shaped,
  sizeOf,
  type Term,
} from "./einsum-term.js";

/** The axes of [batch…, rows…, depth…] × [batch…, depth…, columns…], in an order. */
interface Axes {
  readonly batch: readonly string[];
  readonly rows: readonly string[];
  readonly depth: readonly string[];
  readonly columns: readonly string[];
}

/** As matrix products: one for every order of axes that an operand or the result has already. */
export function matrixProducts(
  a: Term,
  b: Term,
  over: readonly string[],
  result: readonly string[] | undefined,
): readonly Term[] {
  const isBatch = (label: string): boolean => b.labels.includes(label) && !over.includes(label);
  const batch = a.labels.filter(isBatch);
  const rows = ownOf(a, b);
  const columns = ownOf(b, a);
  return orders(batch, [a.labels, b.labels, result]).flatMap((batch) =>
    orders(rows, [a.labels, result]).flatMap((rows) =>
      orders(over, [a.labels, b.labels]).flatMap((depth) =>
        orders(columns, [b.labels, result]).flatMap((columns) => {
          const axes = { batch, rows, depth, columns };
          return [product(a, b, axes), byVector(a, b, axes)].flatMap((term) => term ?? []);
        }),
      ),
    ),
  );
}

function orders(
  labels: readonly string[],
  among: readonly (readonly string[] | undefined)[],
): readonly (readonly string[])[] {
  const found = new Map<string, readonly string[]>();
  for (const order of among) {
    const own = order?.filter((label) => labels.includes(label));
    if (own !== undefined) found.set(own.join(), own);
  }
  return [...found.values()];
}

/** Each axis by itself. */
function alone(labels: readonly string[]): readonly (readonly string[])[] {
  return labels.map((label) => [label]);
}

/** Without a batch, rows stay axes of their own, and what has no columns is a vector. */
function product(a: Term, b: Term, { batch, rows, depth, columns }: Axes): Term | undefined {
  const isStack = batch.length > 0;
  const [rowGroups, columnGroups] = isStack
    ? [[rows], [columns]]
    : [alone(rows), columns.length === 0 ? [] : [columns]];
  const left = ordered(a, [...batch, ...rows, ...depth]);
  const right = ordered(b, [...batch, ...depth, ...columns]);
  const x = grouped(left, [...alone(batch), ...rowGroups, depth]);
  const y = grouped(right, [...alone(batch), depth, ...columnGroups]);
  if (x === undefined || y === undefined) return undefined;
  const labels = [...batch, ...rows, ...columns];
  const sizes = [
    ...batch.map((label) => common(a, b, label)),
    ...x.sizes.slice(batch.length, batch.length + rowGroups.length),
    ...y.sizes.slice(batch.length + 1),
  ];
  const made = joined(x, y, "MatMul", [], sizes);
  return shaped(
    made,
    labels,
    labels.map((label) => common(a, b, label)),
  );
}

/** A vector times a stack of matrices: all columns but the last are axes of the stack. */
function byVector(a: Term, b: Term, { batch, rows, depth, columns }: Axes): Term | undefined {
  if (batch.length > 0 || rows.length > 0 || columns.length < 2) return undefined;
  const stack = columns.slice(0, -1);
  const last = columns.slice(-1);
  const x = grouped(ordered(a, depth), [depth]);
  const right = ordered(b, [...stack, ...depth, ...last]);
  const y = grouped(right, [...alone(stack), depth, last]);
  if (x === undefined || y === undefined) return undefined;
  return joined(
    x,
    y,
    "MatMul",
    columns,
    columns.map((label) => sizeOf(b, label)),
  );
}
