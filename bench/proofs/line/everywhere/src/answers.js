import { load } from "@pare/runtime";

/**
 * What a bundle answers to some feeds, as JSON.
 * @returns {Promise<{ selection, answers } | { error: { code, message, hint } }>}
 */
export async function answersOf(source, feeds, options) {
  try {
    const model = await load(source, options);
    try {
      const answers = [];
      for (const each of feeds) {
        const outputs = await model.run(tensors(each));
        answers.push(Object.values(outputs).map(({ data }) => Array.from(data, Number)));
      }
      return { selection: model.selection, answers };
    } finally {
      await model.dispose();
    }
  } catch (error) {
    return { error: { code: error.code, message: String(error.message), hint: error.hint } };
  }
}

function tensors(feeds) {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { type, dims, data }]) => [
      name,
      { type, dims, data: Float32Array.from(data) },
    ]),
  );
}
