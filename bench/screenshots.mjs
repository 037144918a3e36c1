// node bench/screenshots.mjs [report.html]: the pictures in the documents, of the report of README's main job.
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { mainJob, pare, scratch } from "./proofs/shell.mjs";
import { openReport, withBrowser } from "./proofs/sound/support/look-at-report.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
/** From the top of one thing to the end of another, on a screen of so many pixels. */
const pictures = [
  { file: "docs/report.png", width: 1200, from: "section:has(.plots)", upTo: ".legend" },
  { file: "docs/report-phone.png", width: 390, from: "header", upTo: ".cards" },
];
/** Around what is shown. */
const margin = 20;

const [given] = process.argv.slice(2);
if (given === undefined)
  await scratch(async (folder) => {
    const bundle = join(folder, "ocr-direction.pare");
    const { code, stderr } = await pare(root, [...mainJob, "-o", bundle], { echo: true });
    if (code !== 0) throw new Error(stderr.slice(-400));
    await take(join(bundle, "report.html"));
  });
else await take(given);

async function take(report) {
  await withBrowser(async (browser) => {
    for (const { file, width, from, upTo } of pictures) {
      const page = await openReport(browser, report, width);
      const box = (selector) => page.locator(selector).first().boundingBox();
      const [first, last] = [await box(from), await box(upTo)];
      const y = Math.max(0, Math.floor(first.y) - margin);
      const height = Math.ceil(last.y + last.height) + margin - y;
      const path = join(root, file);
      await page.screenshot({ path, fullPage: true, clip: { x: 0, y, width, height } });
      console.log(`${file}: ${width} × ${height}`);
      await page.close();
    }
  });
}
