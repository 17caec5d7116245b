/** `--forward-to`: each payload as a POST to an address the person named, within a time limit. */
import { messageOf } from "../../base/errors.ts";

export type Forwarded = { readonly status: number } | { readonly failure: string };

const timeoutMs = 10_000;

/** Posts a payload; redirects are not followed, the answer's body is not read. */
export async function forward(
  url: string,
  payload: Uint8Array,
  { id, signal }: { readonly id: string; readonly signal: AbortSignal },
): Promise<Forwarded> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": isJson(payload) ? "application/json" : "application/octet-stream",
        "webpush-id": id,
      },
      body: Buffer.from(payload),
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    await response.body?.cancel();
    return { status: response.status };
  } catch (error) {
    // fetch says "fetch failed"; why is in its cause.
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return { failure: messageOf(cause) };
  }
}

function isJson(payload: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(payload).toString());
    return true;
  } catch {
    return false;
  }
}
