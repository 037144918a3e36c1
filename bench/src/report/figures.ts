import type {
  Accuracy,
  Latency,
  ReportRow,
  SizeBytes,
  TargetName,
  Unmeasured,
} from "@pare/runtime/format";

/** `0.58 MB`, `341 kB`: decimal units, three digits. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const [value, unit] =
    count < 1e6 ? [count / 1e3, "kB"] : count < 1e9 ? [count / 1e6, "MB"] : [count / 1e9, "GB"];
  return `${digits(value)} ${unit}`;
}

/** A count, exact below ten thousand: `1200`, `341 k`, `2.30 M`. */
export function amount(count: number): string {
  if (Math.abs(count) < 10_000) return String(count);
  const [value, unit] =
    count < 1e6 ? [count / 1e3, "k"] : count < 1e9 ? [count / 1e6, "M"] : [count / 1e9, "G"];
  return `${digits(value)} ${unit}`;
}

/** Three significant digits, without an exponent. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(decimals, 6));
}

/**
 * A metric or its change: four decimals, as shares need; two from 10 on. Where the metric itself is so small that these would
 * say little of it, three digits of it.
 * @param of the metric, where `value` is a change of it
 */
export function metricValue(value: number, of = value): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(of);
  if (size < smallMetric && size > noMetric) return value.toFixed(2 - Math.floor(Math.log10(size)));
  return value.toFixed(Math.abs(value) >= 10 ? 2 : 4);
}

const smallMetric = 0.01;
/** What is smaller is nothing but rounding. */
const noMetric = 1e-9;

export function signed(value: number, of?: number): string {
  const text = metricValue(Math.abs(value), of);
  return Number(text) === 0 ? `±${text}` : `${value < 0 ? "−" : "+"}${text}`;
}

export function percent(ratio: number): string {
  return `${digits(ratio * 100)} %`;
}

export function isTimed(latency: Latency | Unmeasured): latency is Latency {
  return "p50" in latency;
}

export function milliseconds(latency: Latency | Unmeasured): string {
  return isTimed(latency) ? `${digits(latency.p50)} ms` : "not timed";
}

/** `0.52 → 0.41 ms` where the baseline was timed in the same run, else `0.41 ms`. */
export function fromTo(latency: Latency | Unmeasured): string {
  if (!isTimed(latency) || latency.baselineP50 === undefined) return milliseconds(latency);
  return `${digits(latency.baselineP50)} → ${milliseconds(latency)}`;
}

/** The baseline's time as it was beside the model, which is what the model's own is to be held against. */
export function baselineTime(
  latency: Latency | Unmeasured,
  baseline: Latency | Unmeasured,
): string {
  const beside = isTimed(latency) ? latency.baselineP50 : undefined;
  return beside === undefined ? milliseconds(baseline) : `${digits(beside)} ms`;
}

/** `1.42× faster`, from a ratio of times: what `speed` says without its interval. */
export function speedAlone(latency: Latency | Unmeasured): string {
  return speed(latency).replace(/ \[.*?\]/, "");
}

/** `1.42× faster [1.39, 1.45]`, from a ratio of times. */
export function speed(latency: Latency | Unmeasured): string {
  if (!isTimed(latency) || latency.ratio === null) return "";
  const [low, high] = latency.ratioInterval ?? [latency.ratio, latency.ratio];
  if (low >= 0.98 && high <= 1.02) return "as fast";
  const faster = latency.ratio <= 1;
  const [value, from, to] = faster
    ? [1 / latency.ratio, 1 / high, 1 / low]
    : [latency.ratio, low, high];
  const open = low < 1 && high > 1 ? ", not decided" : "";
  return `${value.toFixed(2)}× ${faster ? "faster" : "slower"} [${from.toFixed(2)}, ${to.toFixed(2)}]${open}`;
}

/** `0.9905 [0.985, 0.994]` */
export function accuracyText(accuracy: Accuracy | null): string {
  return accuracy
    ? `${metricValue(accuracy.value)} [${accuracy.interval.map((bound) => metricValue(bound, accuracy.value)).join(", ")}]`
    : "–";
}

/** `−0.0005 [−0.002, +0.001], 3 flips of 2000`; a drop is shown as the change it is. */
export function changeText(accuracy: Accuracy | null): string {
  if (!accuracy || accuracy.drop === null) return "";
  const sign = accuracy.direction === "higher" ? -1 : 1;
  const interval = accuracy.dropInterval?.map((bound) => sign * bound).sort((a, b) => a - b);
  const flips = accuracy.flips
    ? `, ${accuracy.flips.count} ${accuracy.flips.count === 1 ? "flip" : "flips"} of ${accuracy.flips.n}`
    : "";
  const told = (change: number): string => signed(change, accuracy.value);
  return `${told(sign * accuracy.drop)}${interval ? ` [${interval.map(told).join(", ")}]` : ""}${flips}`;
}

const engines: { readonly [T in TargetName]: string } = {
  aot: "no engine",
  wasm: "onnxruntime-web",
  webgpu: "onnxruntime-web",
  cpu: "onnxruntime-node",
  webnn: "onnxruntime-web",
};

/** `wasm (onnxruntime-web)`, `aot (no engine)` */
export function targetText(target: TargetName): string {
  return `${target} (${engines[target]})`;
}

export function smaller(size: SizeBytes, baseline: SizeBytes): string {
  const ratio = baseline.brotli / size.brotli;
  if (Math.abs(ratio - 1) < 0.005) return "as large";
  return ratio > 1 ? `${ratio.toFixed(2)}× smaller` : `${(1 / ratio).toFixed(2)}× larger`;
}

/** What a variant came to against the float model on its target, in one line. */
export function outcome(row: ReportRow, baseline: ReportRow | null): string {
  const parts = baseline ? [smaller(row.sizeBytes, baseline.sizeBytes)] : [];
  const fast = speedAlone(row.latencyMs);
  if (fast) parts.push(fast);
  if (row.accuracy && row.accuracy.drop !== null)
    parts.push(
      `${row.accuracy.metric} ${signed((row.accuracy.direction === "higher" ? -1 : 1) * row.accuracy.drop, row.accuracy.value)}`,
    );
  return parts.join(", ");
}
