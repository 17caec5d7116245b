/** What `webpush config` prints. */
import { settingNamed, settings } from "../../settings/table.ts";
import { printable } from "../../terminal/printable.ts";
import { wrap } from "../../terminal/wrap.ts";
import { jsonLine } from "../../terminal/json-line.ts";

/** Every setting with its value here, for people. */
export function settingsText(stored: Readonly<Record<string, string>>, columns: number): readonly string[] {
  const names = Object.keys(settings);
  const width = Math.max(...names.map((name) => name.length)) + 2;
  return names.flatMap((name) => {
    const value = Object.hasOwn(stored, name) ? stored[name] : undefined;
    const shown = value === undefined ? `${fallbackOf(name)} (default)` : shownValue(value);
    const indent = " ".repeat(width);
    const doc = wrap(settingNamed(name)?.doc ?? "", Math.max(columns - width, narrowest));
    return [`${name.padEnd(width)}${shown}`, ...doc.map((line) => indent + line)];
  });
}

/** What is left for an explanation on the narrowest terminal. */
const narrowest = 20;

/** A value for people. */
export function shownValue(value: string): string {
  return printable(withoutSecrets(value));
}

/** What comes before the `@` of an address is a password, and stays out of logs; a store's may also come behind. */
function withoutSecrets(value: string): string {
  return value.replace(/\/\/[^/]*@/, "//[secret]@").replace(/([?&]password=)[^&]*/gi, "$1[secret]");
}

/** One setting as a JSON record: name, value (null when not set in the project), default. Records go to logs too. */
export function settingRecord(name: string, value: string | undefined): string {
  return jsonLine({
    setting: name,
    value: value === undefined ? null : withoutSecrets(value),
    default: settingNamed(name)?.fallback ?? null,
  });
}

function fallbackOf(name: string): string {
  const row = settingNamed(name);
  return row?.fallbackText ?? (row?.fallback === undefined ? "none" : JSON.stringify(row.fallback));
}
