// node bench/screenshots.mjs [report.html]: the pictures in the documents, of the report of README's main job.
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { mainJob, pare, scratch } from "./proofs/shell.mjs";
import { openReport, withBrowser } from "./proofs/sound/support/look-at-report.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const pictures = [
  { file: "docs/report.png", width: 1200, upTo: ".plots" },
  { file: "docs/report-phone.png", width: 390, upTo: ".plot" },
];
/** Below the last thing that is shown. */
const margin = 24;

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
    for (const { file, width, upTo } of pictures) {
      const page = await openReport(browser, report, width);
      const box = await page.locator(upTo).first().boundingBox();
      const height = Math.ceil(box.y + box.height + margin);
      await page.setViewportSize({ width, height });
      await page.screenshot({ path: join(root, file), clip: { x: 0, y: 0, width, height } });
      console.log(`${file}: ${width} × ${height}`);
      await page.close();
    }
  });
}
