/** The release lines of Node and when each stopped, or stops, getting fixes. */

/** The oldest Node this program starts on; bin/webpush.js and package.json say the same. */
export const leastNode: Version = [20, 17, 0];

type Version = readonly [major: number, minor: number, patch: number];

interface NodeLine {
  readonly major: number;
  /** `YYYY-MM-DD`. */
  readonly endOfLife: string;
}

/** github.com/nodejs/Release, schedule.json, as of 2026-11. Odd lines end when the next one is out. */
export const nodeLines: readonly NodeLine[] = [
  { major: 20, endOfLife: "2026-04-30" },
  { major: 21, endOfLife: "2024-06-01" },
  { major: 22, endOfLife: "2027-04-30" },
  { major: 23, endOfLife: "2025-06-01" },
  { major: 24, endOfLife: "2028-04-30" },
  { major: 25, endOfLife: "2026-06-01" },
  { major: 26, endOfLife: "2029-04-30" },
];

/** Reads `20.19.2` or `v24.0.0-rc.1`. */
export function versionOf(text: string): Version {
  const [, major = "0", minor = "0", patch = "0"] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  return [Number(major), Number(minor), Number(patch)];
}

export function atLeast(version: Version, least: Version): boolean {
  const differing = version.findIndex((part, index) => part !== least[index]);
  return differing < 0 || (version[differing] ?? 0) > (least[differing] ?? 0);
}
