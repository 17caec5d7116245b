/**
 * CPU time of other processes, which Node does not tell.
 */
import { existsSync, readFileSync } from "node:fs";

/** CPU time of all ended children (`cutime` and `cstime` of proc(5), in ticks of 10 ms); NaN where there is no /proc. */
export function childCpuMs() {
  if (!existsSync("/proc/self/stat")) return Number.NaN;
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1].split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}
