/** What `webpush keys list` prints. */
import type { VapidPublicKey } from "../../protocol/vapid.ts";
import { shortKey } from "../../store/key-selector.ts";
import type { Io } from "../../terminal/io.ts";
import { table } from "../../terminal/table.ts";
import { ago, counted } from "../subscriptions/render.ts";
import type { InventoryKey, KeyStatus } from "./inventory.ts";

/** One key as a JSON record. Fields are a contract: docs/json.md. */
export function inventoryJson({ publicKey, status, isSigning, createdAt, use }: InventoryKey) {
  return {
    publicKey: publicKey ?? null,
    status,
    signing: isSigning,
    createdAt: createdAt === undefined ? null : new Date(createdAt).toISOString(),
    subscriptions: use.living,
    gone: use.gone,
    refused: use.refused,
    lastSeenAt: use.lastSeenAt === undefined ? null : new Date(use.lastSeenAt).toISOString(),
  };
}

const statusWords: Readonly<Record<KeyStatus, string>> = {
  environment: "environment",
  current: "current",
  older: "older",
  missing: "not here",
  unknown: "not said",
};

const roomyColumns = [
  { title: "key" },
  { title: "status" },
  { title: "made" },
  { title: "subscriptions", align: "right" },
  { title: "gone", align: "right" },
  { title: "last seen" },
] as const;

const narrowColumns = [
  { title: "key" },
  { title: "status" },
  { title: "subscriptions", align: "right" },
] as const;

/** Narrower terminals show what a key is and how many hang on it. */
const roomyFrom = 76;

/** The keys for people. */
export function inventoryTable(
  keys: readonly InventoryKey[],
  now: number,
  { terminal, paint }: Pick<Io, "terminal" | "paint">,
): readonly string[] {
  const columns = terminal.columns < roomyFrom ? narrowColumns : roomyColumns;
  const rows = keys.map(({ publicKey, status, createdAt, use }) => ({
    key: publicKey === undefined ? "-" : shortKey(publicKey),
    status: statusWords[status],
    made: createdAt === undefined ? "-" : new Date(createdAt).toISOString().slice(0, 10),
    subscriptions: String(use.living),
    gone: String(use.gone),
    "last seen": use.lastSeenAt === undefined ? "-" : ago(now - use.lastSeenAt),
  }));
  const cells = rows.map((row) => columns.map(({ title }) => row[title]));
  const [head = "", ...lines] = table(columns, cells, terminal.columns);
  return [paint.out.dim(head), ...lines];
}

/** How far a rotation has come, and what to do next. */
export function progressText(keys: readonly InventoryKey[], { paint }: Pick<Io, "paint">): readonly string[] {
  const living = (wanted: KeyStatus): number =>
    keys.filter(({ status }) => status === wanted).reduce((sum, { use }) => sum + use.living, 0);
  const refused = keys.reduce((sum, { use }) => sum + use.refused, 0);
  const tell = (count: number, text: string, command = ""): readonly string[] =>
    count === 0 ? [] : [`${count} ${text}${paint.err.bold(command)}`];
  const isForeign = keys.some(({ status }) => status === "environment");
  const guess = isForeign ? "signed with the environment's" : "signed with the one of the day they came";
  return [
    "",
    movedText(keys),
    ...tell(living("unknown"), `without a word of their key: ${guess}`),
    ...tell(living("missing"), "made with a key that is not here; to send to them: ", importCommand),
    ...tell(refused, "whose push service refused the key: ", "webpush subscriptions check"),
    ...unusedText(unusedKeys(keys), paint),
    ...(isForeign ? [environmentText] : []),
  ];
}

const importCommand = "webpush keys import FILE --add";
const environmentText =
  "VAPID_PRIVATE_KEY signs for new subscriptions; unset it to use the project's current pair";

/** Subscriptions may be kept elsewhere too, and piped in to be sent to. */
function unusedText(keys: readonly VapidPublicKey[], paint: Io["paint"]): readonly string[] {
  if (keys.length === 0) return [];
  const which = keys.length === 1 ? "one pair" : `${keys.length} pairs`;
  return [
    `no subscription stored here was made with ${which}; if none elsewhere was:`,
    ...keys.map((key) => `  ${paint.err.bold(`webpush keys remove ${key.slice(0, 12)}`)}`),
  ];
}

function movedText(keys: readonly InventoryKey[]): string {
  const total = keys.reduce((sum, { use }) => sum + use.living, 0);
  const moved = keys.reduce((sum, { use, isSigning }) => sum + (isSigning ? use.living : 0), 0);
  if (total === 0) return "no subscriptions are stored";
  const isRotating = keys.some(({ status, isSigning }) => !isSigning && status !== "unknown");
  if (!isRotating) return `${counted(moved)} made with the current key`;
  if (moved === total) return `all ${total} moved to the new key`;
  return `${moved} of ${total} moved to the new key; the others do on their next visit`;
}

/** Older pairs that nothing hangs on; none while somebody does not say its key, which may be any. */
function unusedKeys(keys: readonly InventoryKey[]): readonly VapidPublicKey[] {
  if (keys.some(({ status, use }) => status === "unknown" && use.living > 0)) return [];
  return keys.flatMap(({ publicKey, status, use }) =>
    publicKey !== undefined && status === "older" && use.living === 0 ? [publicKey] : [],
  );
}
