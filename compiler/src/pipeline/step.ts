import type { Written } from "./options.js";
import type { PassDefinition } from "./pass.js";

/** A pass by name with its options, as data. */
export interface Step {
  readonly use: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

/** Steps that are measured, and kept or reverted, as one. */
export interface StepGroup<S extends Step = Step> {
  readonly steps: readonly S[];
  /** It stays whatever it gains, as long as the model loads and is right. */
  readonly required: boolean;
  /** For reports. */
  readonly name?: string;
}

/** The steps that can be written with some passes: a typo in a name or an option is a type error. */
export type StepOf<Definition> =
  Definition extends PassDefinition<infer Name, infer Options>
    ? { readonly use: Name; readonly with?: Written<Options> }
    : never;
