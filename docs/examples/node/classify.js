// node classify.js digits.pare seven.json [target]
import { readFile } from "node:fs/promises";
import { classify } from "./digits.js";

const [bundle, image, target] = process.argv.slice(2);
const pixels = JSON.parse(await readFile(image, "utf8"));
console.log(JSON.stringify(await classify(bundle, pixels, { target })));
