/** What a payload says: the text, and the notification in it, in either of its forms. */
export interface Content {
  readonly text: string | undefined;
  readonly title: string | undefined;
  readonly body: string | undefined;
}

/** Reads a payload; text that is no notification is only text, bytes that are no UTF-8 are not even that. */
export function readContent(payload: Uint8Array | undefined): Content {
  const text = payload === undefined ? undefined : decode(payload);
  const json = text === undefined ? undefined : parseObject(text);
  // Declarative Web Push has the members one level down (PROTOCOL.md §5.8).
  const notification = objectOf(json?.["notification"]) ?? json;
  const member = (name: string) => {
    const value = notification?.[name];
    return typeof value === "string" ? value : undefined;
  };
  return { text, title: member("title"), body: member("body") };
}

function decode(payload: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(payload);
  } catch {
    return undefined;
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return value as Readonly<Record<string, unknown>>;
}
