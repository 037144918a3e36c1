/** What tells contents apart without comparing them: their length, and two hashes of all of them. */
export function contentKey(bytes: Uint8Array): string {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Int32Array(buffer, byteOffset, length >> 2);
  let [a, b] = [0x9e3779b1, 0x85ebca6b];
  const add = (word: number): void => {
    a = Math.imul(a ^ word, 0x9e3779b1);
    b = Math.imul((b ^ word) + (b >>> 15), 0x5f356495);
  };
  for (let at = 0; at < words.length; at += 1) add(words[at] as number);
  for (let at = words.length * 4; at < length; at += 1) add(bytes[at] as number);
  return `${length} ${a} ${b}`;
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false;
  return true;
}
