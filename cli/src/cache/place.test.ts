import { expect, it } from "vitest";
import { cachePlace, type Environment } from "./place.js";

it.each<[NodeJS.Platform, Environment, string, string | null]>([
  ["linux", {}, "/home/u", "/home/u/.cache/pare"],
  ["linux", { XDG_CACHE_HOME: "/var/tmp/u" }, "/home/u", "/var/tmp/u/pare"],
  ["linux", { XDG_CACHE_HOME: "/var/tmp/u" }, "", "/var/tmp/u/pare"],
  ["linux", { XDG_CACHE_HOME: "relative" }, "/home/u", "/home/u/.cache/pare"],
  ["linux", { XDG_CACHE_HOME: "", LOCALAPPDATA: "/x" }, "/home/u", "/home/u/.cache/pare"],
  ["linux", {}, "", null],
  ["darwin", {}, "/Users/u", "/Users/u/Library/Caches/pare"],
  ["darwin", { XDG_CACHE_HOME: "/Users/u/.cache" }, "/Users/u", "/Users/u/.cache/pare"],
  ["win32", { LOCALAPPDATA: "D:\\Local" }, "C:\\Users\\u", "D:\\Local\\pare"],
  ["win32", { XDG_CACHE_HOME: "/x" }, "C:\\Users\\u", "C:\\Users\\u\\AppData\\Local\\pare"],
])("on %s with %j and the home %j, the cache is %j", (platform, environment, home, path) => {
  expect(cachePlace(environment, platform, home)).toBe(path);
});
