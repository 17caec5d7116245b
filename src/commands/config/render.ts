/** What `webpush config` prints. */
import { settingNamed, settings } from "../../settings/table.ts";
import { printable } from "../../terminal/printable.ts";
import { table } from "../../terminal/table.ts";
import { jsonLine } from "../../terminal/json-line.ts";

/** Every setting with its value here, for people. */
export function settingsText(stored: Readonly<Record<string, string>>, columns: number): readonly string[] {
  const rows = Object.keys(settings).map((name) => {
    const value = Object.hasOwn(stored, name) ? stored[name] : undefined;
    return [
      name,
      value === undefined ? `${fallbackOf(name)} (default)` : shownValue(value),
      settingNamed(name)?.doc ?? "",
    ];
  });
  return table(
    [{ title: "setting" }, { title: "value" }, { title: "what it does", flexible: true }],
    rows,
    columns,
  );
}

/** A value for people: what comes before the `@` of a proxy is a password, and stays out of logs. */
export function shownValue(value: string): string {
  return printable(value.replace(/\/\/[^/]*@/, "//[secret]@"));
}

/** One setting as a JSON record: name, value (null when not set in the project), default. */
export function settingRecord(name: string, value: string | undefined): string {
  return jsonLine({
    setting: name,
    value: value ?? null,
    default: settingNamed(name)?.fallback ?? null,
  });
}

function fallbackOf(name: string): string {
  const row = settingNamed(name);
  return row?.fallbackText ?? (row?.fallback === undefined ? "none" : JSON.stringify(row.fallback));
}
