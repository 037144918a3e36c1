/** Which sizes the samples' inputs have, by name and axis. */
export type SizesSeen = Readonly<Record<string, readonly ReadonlySet<number>[]>>;

type Shapes = Readonly<Record<string, readonly number[]>>;

/** Of all samples, one after the other. */
export class SizesOfSamples {
  readonly seen: Record<string, Set<number>[]> = Object.create(null);

  add(shapes: Shapes): void {
    for (const [name, dims] of Object.entries(shapes)) {
      const axes = (this.seen[name] ??= []);
      for (const [axis, size] of dims.entries()) (axes[axis] ??= new Set()).add(size);
    }
  }
}

/** Of one sample. */
export function sizesOfOne(shapes: Shapes): SizesSeen {
  const sizes = new SizesOfSamples();
  sizes.add(shapes);
  return sizes.seen;
}
