/** The page that a browser is to open, as a person writes it. */
import { UserError } from "../../base/errors.ts";

/** What is opened when no page is named. */
export const blankPage = "about:blank";

/**
 * Reads a page's address; `localhost:3000` is taken for `http://localhost:3000/`.
 *
 * @throws UserError `page-url`
 */
export function parsePageUrl(text: string): string {
  if (text === blankPage) return text;
  // `localhost:3000` would else be read as an address of the scheme `localhost`.
  const url = tryUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url !== undefined && ["http:", "https:"].includes(url.protocol) && url.username === "") return url.href;
  throw new UserError("page-url", `${JSON.stringify(text)} is not the address of a page`, {
    hints: ["write it as http://localhost:3000/"],
  });
}

/** Whether browsers let this page subscribe: over https, or from this machine itself (Secure Contexts §3.1). */
export function mayUsePush(pageUrl: string): boolean {
  if (pageUrl === blankPage) return true;
  const { protocol, hostname } = new URL(pageUrl);
  return protocol === "https:" || /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

function tryUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
