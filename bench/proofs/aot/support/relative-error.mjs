/** The largest difference over all outputs, each over its largest number: one below a hundredth counts as that. */
export function relativeError(expected, actual) {
  let worst = 0;
  for (const [name, { data, dims }] of Object.entries(expected)) {
    const other = actual[name];
    if (other?.dims.join() !== dims.join()) return Infinity;
    let [largest, apart] = [0.01, 0];
    for (const [at, value] of data.entries()) {
      largest = Math.max(largest, Math.abs(Number(value)));
      if (Object.is(value, other.data[at])) continue;
      const own = Math.abs(Number(value) - Number(other.data[at]));
      if (!(own <= apart)) apart = own;
    }
    if (!(apart / largest <= worst)) worst = apart / largest;
  }
  return worst;
}
