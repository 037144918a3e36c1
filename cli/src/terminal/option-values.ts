import { PareError } from "@pare/runtime/format";

/** An option's value so far, and one more argument: `cpu,wasm`, `cpu wasm`, or each by itself. */
export function collectNames(value: string, before: readonly string[] = []): readonly string[] {
  return [...new Set([...before, ...value.split(/[,\s]+/).filter((name) => name !== "")])];
}

/**
 * `name=value` pairs. A comma begins a new pair only where a name and `=` follow, so that values may hold commas.
 * @throws PareError ARGUMENT for something without a name
 */
export function collectPairs(flag: string): (value: string, before?: Pairs) => Pairs {
  return (value, before = []) => {
    const pairs = value.split(/,(?=[^,=]+=)/).map((pair): [string, string] => {
      const at = pair.lastIndexOf("=") === -1 ? -1 : pair.indexOf("=");
      if (at <= 0) {
        throw new PareError("ARGUMENT", `"${pair}" is not of the form name=value.`, {
          where: flag,
          hint: `Write ${flag} name=value; several with commas or by repeating the flag.`,
        });
      }
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    });
    return [...before, ...pairs];
  };
}

/** @throws PareError ARGUMENT for a name that is given two values: one of them would be lost */
export function byName(pairs: Pairs, flag: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (found.has(name))
      throw new PareError(
        "ARGUMENT",
        `"${name}" is given twice: ${found.get(name)} and ${value}.`,
        {
          where: flag,
          hint: "Leave one out.",
        },
      );
    found.set(name, value);
  }
  return found;
}

export type Pairs = readonly (readonly [name: string, value: string])[];

/** A number that must be at least `least`. */
export function numberAtLeast(flag: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || value < least) {
      throw new PareError(
        "ARGUMENT",
        `${flag} is "${text}", but must be a number of at least ${least}.`,
        { where: flag },
      );
    }
    return value;
  };
}

/** A share of something: 0.6 is 60 %. */
export function shareOf(flag: string, { least = 0.01 } = {}): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= least && value <= 1)) {
      throw new PareError("ARGUMENT", `${flag} is "${text}", but must be from ${least} to 1.`, {
        where: flag,
        hint: `Write a share: ${flag} 0.6 is 60 %.`,
      });
    }
    return value;
  };
}

/** An integer of at least `least`. */
export function integerAtLeast(flag: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text.trim()) || !Number.isSafeInteger(value) || value < least) {
      throw new PareError(
        "ARGUMENT",
        `${flag} is "${text}", but must be a whole number of at least ${least}.`,
        { where: flag },
      );
    }
    return value;
  };
}

const units: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** `500kB`, `1.5MB`, `2MiB`, or bytes. */
export function bytes(flag: string): (text: string) => number {
  return (text) => {
    const parts = /^([\d.]+)\s*([a-z]*)$/i.exec(text.trim());
    const unit = units[(parts?.[2] || "b").toLowerCase()];
    const value = Number(parts?.[1]) * (unit ?? Number.NaN);
    if (!Number.isFinite(value) || value <= 0) {
      throw new PareError("ARGUMENT", `${flag} is "${text}", which is no size.`, {
        where: flag,
        hint: "Write 500kB, 1.5MB, 2MiB, or a number of bytes.",
      });
    }
    return Math.floor(value);
  };
}

const durations: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3 };

/** `90s`, `2m`, `500ms`, `1h`; a bare number is in `unit`. */
export function milliseconds(flag: string, unit: "s" | "ms"): (text: string) => number {
  return (text) => {
    const parts = /^([\d.]+)\s*(ms|s|m|h)?$/.exec(text.trim());
    const value = Number(parts?.[1]) * (durations[parts?.[2] ?? unit] ?? Number.NaN);
    if (!Number.isFinite(value) || value <= 0) {
      throw new PareError("ARGUMENT", `${flag} is "${text}", which is no time.`, {
        where: flag,
        hint: "Write 90s, 2m or 500ms.",
      });
    }
    return value;
  };
}
