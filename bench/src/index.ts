export { EngineHost, type HostDescription, type LoadedModel } from "./engines/host.js";
export { executor } from "./engines/executor.js";
export { type HostOptions, type Hosts, openHosts } from "./engines/open-hosts.js";
export { backendsInNode, engineTargets, measurableTargets } from "./engines/measured-backends.js";
export { openNodeChannel } from "./engines/node-channel.js";
export { accuracyOf, type Scored } from "./measure/accuracy.js";
export { measureWhole, type WholeRequest } from "./measure/whole.js";
export type { EarlierResults, ResultName } from "./measure/earlier-results.js";
export {
  createMeasure,
  type MeasureOptions,
  type MeasureProgress,
  type MeasuringEngines,
} from "./measure/measure.js";
export type { Metric } from "./metrics/metric.js";
export { type LabelFacts, labelFacts, labelledOutputs } from "./metrics/label-facts.js";
export { alignedRows } from "./metrics/aligned-rows.js";
export { inParts, type PartsOfOutput } from "./metrics/in-parts.js";
export { chooseMetric, metricNamed, type MetricName, metrics } from "./metrics/metrics.js";
export {
  createScorer,
  type Flip,
  onlyOutput,
  type Reads,
  type Scorer,
  type ScoringHooks,
} from "./metrics/scorer.js";
export {
  type BenchmarkEntry,
  benchmarkEntries,
  toBenchmarkAction,
} from "./report/benchmark-action.js";
export { metricValue, signed, speedAlone, targetText } from "./report/figures.js";
export { toHtml } from "./report/html.js";
export { toJson } from "./report/json.js";
export { judgedBy } from "./report/judged-by.js";
export { toJUnit } from "./report/junit.js";
export { toMarkdown } from "./report/markdown.js";
export {
  asLoaded,
  askOn,
  type BenchModel,
  compare,
  type CompareRequest,
  type Comparison,
  orRefusal,
} from "./compare/compare.js";
export type { Gate } from "./compare/gate.js";
export { type DisagreementRequest, findDisagreements } from "./measure/disagreements.js";
export { findBrowser } from "./engines/find-browser.js";
export { EngineBrowser } from "./engines/browser.js";
export { type Contender, type ContestRequest, runContest } from "./visit/contest.js";
export type { ContestRow, ContestState } from "./visit/state.js";
export { type Visit, VisitedBrowser } from "./visit/visited-browser.js";
