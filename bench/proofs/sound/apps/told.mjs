// What an app has to be told of a cause of failure.

/** Seconds, unless the cause is that nothing comes. */
const bound = 5;

/** Claims that a cause was told with its own code, its cure and in time, and that the next load ran. */
export function told({ claim, answers }, what, target, expected, said) {
  const { code = "none", message = "", hint = "", seconds, tried } = said;
  claim(`${what}: its code`, { value: code, bound: expected.code, met: code === expected.code });
  const cure = `${message} ${hint}`.replaceAll("\n", " ").trim();
  claim(`${what}: says what to do`, {
    value: cure.slice(0, 300),
    bound: String(expected.cure),
    met: expected.cure.test(cure),
  });
  // What lies in the bundle's address is known before anything is tried.
  if (expected.attempts !== false) {
    const reasons = (tried ?? []).map(({ reason }) => reason);
    claim(`${what}: attempts, each with its reason`, {
      value: reasons.length,
      bound: "1 or more",
      met: reasons.length > 0 && reasons.every((reason) => reason.length > 0),
    });
  }
  const [least, most] = expected.seconds ?? [0, bound];
  claim(`${what}: seconds until it is told`, {
    value: seconds ?? Infinity,
    bound: expected.seconds === undefined ? most : `${least} to ${most}`,
    met: seconds >= least && seconds <= most,
  });
  if (expected.next !== false)
    answers(`${what}, then mended: the next load`, target, { text: said.next ?? "" });
}
