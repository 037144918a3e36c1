import { measurableTargets } from "@pare/bench";
import type { Command } from "commander";
import {
  collectNames,
  collectPairs,
  integerAtLeast,
  type Pairs,
} from "../terminal/option-values.js";
import type { OutputOptions } from "../terminal/output.js";
import { addData, addMetric, addPreprocess } from "./data-options.js";
import { addShapeOptions, type ShapeOptions } from "./shape-options.js";

/** What `optimize` and `bench` have in common. */
export interface MeasureVerbOptions extends OutputOptions, ShapeOptions {
  readonly target?: readonly string[];
  readonly data?: string;
  readonly preprocess?: string;
  readonly metric?: string;
  readonly seed: number;
  readonly report?: Pairs;
}

/**
 * @param byDefault which targets, where none is named
 * @param dimText what `--dim` takes
 */
export function addMeasureOptions(
  command: Command,
  byDefault = "every engine that can run here",
  dimText?: string,
): void {
  command.option(
    `--target <${measurableTargets.join("|")}>`,
    `where it has to run: one, or several with commas (default: ${byDefault})`,
    collectNames,
  );
  addData(command);
  addPreprocess(command);
  addMetric(command);
  addShapeOptions(command, dimText);
  command
    .option(
      "--seed <number>",
      "fixes the splits and all that is random",
      integerAtLeast("--seed", 0),
      0,
    )
    .option(
      "--report <list>",
      "html=… md=… junit=… benchmark-action=… json=…",
      collectPairs("--report"),
    );
}
