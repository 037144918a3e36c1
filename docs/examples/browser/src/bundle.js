// A bundle is an ES module: the bundler follows it to the variants' files and emits them.
export { default } from "../digits.pare/index.js";
