/** Identity within one model, its forks included; never used again. */
export type ValueId = number & { readonly __value: unique symbol };
export type NodeId = number & { readonly __node: unique symbol };
export type BodyId = number & { readonly __body: unique symbol };
