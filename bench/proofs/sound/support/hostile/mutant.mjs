// A mutant by its number: the same file on every machine.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { mutateJson } from "./mutate-json.mjs";
import { mutateModel } from "./mutate-model.mjs";
import { randomStream } from "../choices.mjs";
import { mutateBytes } from "./random.mjs";

/** Of twenty mutants, so many are of each kind. */
const shares = {
  model: 11,
  manifest: 1,
  report: 1,
  golden: 1,
  lock: 1,
  cache: 1,
  recipe: 1,
  budgets: 1,
  array: 1,
  image: 1,
};
export const kinds = Object.keys(shares);
const turns = Object.entries(shares).flatMap(([kind, share]) => Array(share).fill(kind));

/**
 * Writes a mutant into an empty folder.
 * @param models by name; `others` is the folder of `writeOtherSeeds`
 * @returns its kind, the seed's name, and what is to be opened
 */
export async function writeMutant(number, models, others, folder) {
  return writeOne(turns[number % turns.length], randomStream(number * 2_654_435_761), {
    models,
    others,
    folder,
    changed: { json: mutateJson, bytes: mutateBytes, model: mutateModel },
  });
}

/** A seed as it is, by the same way: what is refused unchanged would test nothing. */
export async function writeSeed(kind, number, models, others, folder) {
  return writeOne(kind, randomStream(number), {
    models,
    others,
    folder,
    changed: { json: (text) => text, bytes: (bytes) => bytes, model: (bytes) => bytes },
  });
}

async function writeOne(kind, random, { models, others, folder, changed }) {
  const write = (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const mutatedText = (path) => changed.json(readFileSync(path, "utf8"), random);
  const bundle = () => {
    const path = join(folder, "bundle");
    copyFolder(join(others, "bundle"), path);
    return path;
  };
  switch (kind) {
    case "model": {
      const names = [...models.keys()];
      const seed = random.of(names);
      const other = models.get(random.of(names));
      return {
        kind,
        seed,
        path: write("m.onnx", await changed.model(models.get(seed), other, random)),
      };
    }
    case "manifest":
    case "report": {
      const path = bundle();
      const file = join(path, `${kind}.json`);
      writeFileSync(file, mutatedText(file));
      return { kind, seed: `${kind}.json`, path };
    }
    case "golden": {
      const path = bundle();
      const name = readdirSync(path).find((one) => /^golden-[0-9a-f]{64}\.json$/.test(one));
      const text = mutatedText(join(path, name));
      // One whose hash the manifest knows is looked at; so it is named anew, three times of four.
      if (random.chance(0.75)) rename(path, name, text);
      else writeFileSync(join(path, name), text);
      return { kind, seed: "golden.json", path };
    }
    case "lock": {
      const [lock] = readdirSync(join(others, "bundle")).filter((name) =>
        name.endsWith("lock.json"),
      );
      const path = write("pare.lock.json", mutatedText(join(others, "bundle", lock)));
      return { kind, seed: lock, path };
    }
    case "cache": {
      const [name] = readdirSync(join(others, "cache")).filter((one) => /^[0-9a-f]{64}$/.test(one));
      const bytes = readFileSync(join(others, "cache", name));
      const at = join(folder, "cache");
      mkdirSync(at);
      writeFileSync(join(at, name), changed.bytes(bytes, random));
      return { kind, seed: name, path: at };
    }
    case "recipe": {
      const text = mutatedText(join(others, "recipe.json"));
      const ending = random.of([".json", ".yaml"]);
      return { kind, seed: "recipe.json", path: write(`recipe${ending}`, text) };
    }
    case "budgets":
      return {
        kind,
        seed: "pare.config.json",
        path: write("pare.config.json", mutatedText(join(others, "pare.config.json"))),
      };
    case "array": {
      const name = random.of(["data.npy", "data.npz", "data.safetensors", "data.jsonl"]);
      const bytes = changed.bytes(readFileSync(join(others, name)), random);
      return { kind, seed: name, path: write(name, bytes) };
    }
    case "image": {
      const photos = join(folder, "photos");
      mkdirSync(photos);
      const name = random.of(readdirSync(join(others, "photos")));
      const bytes = changed.bytes(readFileSync(join(others, "photos", name)), random);
      writeFileSync(join(photos, `${basename(name, extname(name))}${extname(name)}`), bytes);
      return { kind, seed: name, path: photos };
    }
    default:
      throw new Error(`No kind ${kind}.`);
  }
}

/** `cpSync` looks at folders that the permission model hides. */
function copyFolder(from, to) {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, copy] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyFolder(source, copy);
    else writeFileSync(copy, readFileSync(source));
  }
}

function rename(bundle, name, text) {
  const hash = createHash("sha256").update(text).digest("hex");
  renameSync(join(bundle, name), join(bundle, `golden-${hash}.json`));
  writeFileSync(join(bundle, `golden-${hash}.json`), text);
  rmSync(join(bundle, "golden.json"), { force: true });
  const file = join(bundle, "manifest.json");
  const manifest = JSON.parse(readFileSync(file, "utf8"));
  const golden = { path: `golden-${hash}.json`, bytes: Buffer.byteLength(text), sha256: hash };
  writeFileSync(file, JSON.stringify({ ...manifest, golden }));
}
