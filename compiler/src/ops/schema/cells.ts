/** One piece of knowledge for every operator of a family. */
export type Every<Family, Cell> = { readonly [Name in keyof Family]: Cell };

/** One piece of knowledge for some operators of a family; of the others nothing is known. */
export type Some<Family, Cell> = { readonly [Name in keyof Family]?: Cell };
