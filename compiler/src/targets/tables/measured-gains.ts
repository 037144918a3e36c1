import type { MeasuredGain } from "../gains.js";

export const measuredGains: readonly MeasuredGain[] = [];
