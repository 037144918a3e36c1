import type { AffineForm } from "./affine-forms.js";

/** What is made of a sum: a function with what ONNX calls its alpha and beta. */
export interface Activation {
  readonly name: string;
  readonly alpha?: number;
  readonly beta?: number;
}

export interface Gate {
  readonly form: AffineForm;
  /** Of a GRU's candidate: what the reset gate is multiplied with, where that is a sum of its own. */
  readonly own?: AffineForm;
}

export interface Cell {
  readonly op: "LSTM" | "GRU" | "RNN";
  /** In ONNX's order. */
  readonly gates: readonly Gate[];
  readonly activations: readonly Activation[];
  /** Of the states. */
  readonly hidden: number;
  readonly cell?: number;
  /** What the state before is multiplied by comes after its product. */
  readonly resetAfter?: boolean;
}

export interface Sizes {
  /** Of the rows, which it goes through, and of each its numbers. */
  readonly row: number;
  readonly inputs: number;
  readonly hidden: number;
}
