// 2,000 lines of text to test the recognizer on: the 600 that its data keeps for that, and 1,400 more that are rendered
// as they are, since 600 do not decide whether a hundredth is read wrong. The other splits, which nothing looks at here,
// are as small as may be.
import { samples as lines, splits as own } from "../../../../fixtures/data/ocr-recognition.mjs";
import {
  lineRenderer,
  lineTexts,
  resize,
  toInput,
} from "../../../../fixtures/scripts/text-lines.mjs";

export { predict } from "../../../../fixtures/data/ocr-recognition.mjs";

const [height, leastWidth, widthStep] = [48, 320, 32];
const known = Object.values(own).flat().length;
const texts = lineTexts(known + 1400);
const id = (/** @type {number} */ index) => `line-${String(index).padStart(4, "0")}`;

export const splits = {
  calibration: own.calibration.slice(0, 1),
  validation: own.validation.slice(0, 1),
  test: [...own.test, ...texts.slice(known).map((_, at) => id(known + at))],
};

export async function* samples() {
  const wanted = new Set(Object.values(splits).flat());
  for await (const sample of lines()) if (wanted.has(sample.id)) yield sample;
  const render = await lineRenderer({ smallest: 13, grain: 26 });
  for (const [at, label] of texts.slice(known).entries()) {
    const line = render(label, known + at);
    const width = Math.ceil((height * line.width) / line.height);
    const padded = Math.max(leastWidth, Math.ceil(width / widthStep) * widthStep);
    const x = toInput(resize(line, width, height), padded);
    yield { id: id(known + at), label, feeds: { x } };
  }
}
