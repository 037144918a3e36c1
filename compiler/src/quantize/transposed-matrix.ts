/** Writes a row-major matrix [rows, columns] into an array as [columns, rows]. */
export function transposedMatrix<Numbers extends Float32Array | Int8Array>(
  values: Numbers,
  rows: number,
  columns: number,
  into: Numbers,
): Numbers {
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1)
      into[column * rows + row] = values[row * columns + column] as number;
  }
  return into;
}
