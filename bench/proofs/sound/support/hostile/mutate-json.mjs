// JSON documents that say what no program of ours would.
import { edges, mutateBytes, texts } from "./random.mjs";

/** @returns text; now and then no longer JSON */
export function mutateJson(text, random) {
  if (random.chance(0.1))
    return Buffer.from(mutateBytes(Buffer.from(text), random)).toString("utf8");
  const holder = { document: JSON.parse(text) };
  for (let times = 1 + random.below(3); times > 0; times -= 1) {
    const places = [];
    collect(holder, places);
    // Nothing may be left of it by now.
    if (places.length === 0) break;
    const { owner, key } = random.of(places);
    mutate(owner, key, places, random);
  }
  // `__proto__` as a key of its own: what JSON.parse makes of it.
  const out = JSON.stringify(holder.document) ?? "null";
  return random.chance(0.03) ? out.replace(/"\w+":/, '"__proto__":') : out;
}

function collect(owner, places) {
  for (const key of Object.keys(owner)) {
    places.push({ owner, key });
    const value = owner[key];
    if (typeof value === "object" && value !== null) collect(value, places);
  }
}

function mutate(owner, key, places, random) {
  const value = owner[key];
  switch (random.below(8)) {
    case 0:
      if (Array.isArray(owner)) owner.splice(Number(key), 1);
      else delete owner[key];
      return;
    case 1: {
      const from = random.of(places);
      owner[key] = structuredClone(from.owner[from.key]);
      return;
    }
    case 2:
      owner[key] = random.of([null, true, false, [], {}, "", 0, [null], { a: { b: [] } }]);
      return;
    case 3:
      owner[key] = Number(random.of(edges));
      return;
    case 4:
      owner[key] = random.of([0.5, -0.5, 1e308, -1e308, 5e-324, 2 ** 53 + 2]);
      return;
    case 5:
      owner[key] = random.of(texts);
      return;
    case 6:
      if (Array.isArray(value)) owner[key] = [...value, ...value, ...value];
      else if (typeof value === "string")
        owner[key] = Buffer.from(mutateBytes(Buffer.from(value), random)).toString("utf8");
      else owner[key] = nested(random.of([3, 40, 400]));
      return;
    default:
      if (typeof owner === "object" && !Array.isArray(owner))
        owner[random.of(texts.slice(0, 20))] = structuredClone(value);
      else owner[key] = [value];
  }
}

function nested(depth) {
  let value = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}
