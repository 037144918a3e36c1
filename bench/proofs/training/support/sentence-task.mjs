// The sentence transformer's task: whose vector is nearest, and what a definition is about by a head that never changes.
import { onnxArtifact } from "../../../../runtime/dist/format/index.js";
import { cpu } from "../../../../runtime/dist/backends/ort-node.js";
import { predict, samples, splits } from "../../../../fixtures/data/minilm.mjs";
import {
  feedsOf,
  rowsOf,
  sentenceVector,
  tokenizer,
} from "../../../../fixtures/scripts/sentences.mjs";

const MOST_TOKENS = 64;

/**
 * What a model makes of the task: for each definition of `pairs`, whether its own word has the nearest vector of all words
 * (recall@1 is their share); for each definition of `test`, whether its topic is found.
 *
 * @param {Uint8Array} bytes an ONNX file
 * @returns {Promise<{ found: boolean[], right: boolean[] }>}
 */
export async function taskResults(bytes) {
  const session = await cpu().load(onnxArtifact(bytes, { spinning: false }));
  try {
    return { found: await nearestWords(session), right: await topics(session) };
  } finally {
    await session.dispose();
  }
}

async function nearestWords(session) {
  const idsOfText = await tokenizer(MOST_TOKENS);
  const vectorOf = async (text) => {
    const feeds = feedsOf(idsOfText(text));
    const outputs = await session.run(feeds);
    return sentenceVector(outputs.output_0, feeds.attention_mask.data);
  };
  const words = [];
  const definitions = [];
  for (const { word, definition } of await rowsOf("pairs")) {
    words.push(await vectorOf(word));
    definitions.push(await vectorOf(definition));
  }
  return definitions.map((definition, own) => {
    const likeness = words.map((word) => dot(word, definition));
    return likeness.every((one) => one <= likeness[own]);
  });
}

async function topics(session) {
  const tested = new Set(splits.test);
  const right = [];
  for await (const sample of samples())
    if (tested.has(sample.id))
      right.push((await predict(await session.run(sample.feeds), sample)) === sample.label);
  return right;
}

function dot(a, b) {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += a[at] * b[at];
  return sum;
}
