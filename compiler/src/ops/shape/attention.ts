import { type Dim, dim } from "../../ir/index.js";
import type { attentionSchemas } from "../schema/attention.js";
import type { Every } from "../schema/cells.js";
import { sameAsInput, tensorOf } from "./inferred.js";
import type { InferContext, ShapeRule } from "./rule.js";

/** [batch, steps, width] with another width. Of the states that are given besides, nothing is said. */
function widened(context: InferContext, width: Dim | undefined): ReturnType<ShapeRule> {
  const [batch, steps] = context.shape(0) ?? [];
  const known = batch !== undefined && steps !== undefined && width !== undefined;
  return tensorOf(context.dtype(0), known ? [batch, steps, width] : undefined);
}

export const attentionShapes: Every<typeof attentionSchemas, ShapeRule> = {
  /** Heads on an axis of their own ([batch, heads, steps, size]), or side by side in the last one. */
  Attention(context) {
    const [q, v] = [context.shape(0), context.shape(2)];
    const size = v?.at(-1);
    if (q === undefined || size === undefined) return tensorOf(context.dtype(0), undefined);
    if (q.length === 4) return tensorOf(context.dtype(0), [...q.slice(0, 3), size]);
    const heads = context.attributes.int("q_num_heads");
    const shared = context.attributes.int("kv_num_heads");
    const width =
      heads === undefined || shared === undefined
        ? undefined
        : dim.multiply(heads, dim.floorDiv(size, shared));
    return widened(context, width);
  },
  "com.microsoft::Attention"(context) {
    const [, , own] = context.attributes.ints("qkv_hidden_sizes") ?? [];
    const all = context.shape(1)?.[1];
    return widened(context, own ?? (all === undefined ? undefined : dim.floorDiv(all, 3)));
  },
  /** Values as [batch, steps, width] or [batch, heads, steps, size]; without them, in the query: […, heads, 3, size]. */
  "com.microsoft::MultiHeadAttention"(context) {
    const [query, value] = [context.shape(0), context.shape(2)];
    if (value?.length === 3) return widened(context, value[2]);
    const [heads, size] = value === undefined ? [query?.[2], query?.[4]] : [value[1], value[3]];
    const known = heads !== undefined && size !== undefined;
    return widened(context, known ? dim.multiply(heads, size) : undefined);
  },
  /** Without keys, the query holds them and the values too, side by side. */
  "com.microsoft::GroupQueryAttention"(context) {
    const width = context.shape(0)?.[2];
    if (width === undefined || (context.node.inputs[1] ?? null) !== null)
      return widened(context, width);
    const heads = context.attributes.int("num_heads");
    const shared = context.attributes.int("kv_num_heads");
    if (heads === undefined || shared === undefined) return widened(context, undefined);
    return widened(context, dim.multiply(heads, dim.floorDiv(width, heads + 2 * shared)));
  },
  "com.microsoft::RotaryEmbedding": sameAsInput,
};
