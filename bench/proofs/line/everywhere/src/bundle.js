export { default } from "../model.pare/index.js";
