/**
 * One request, the same in every framework: checks, the handler, and headers for every answer.
 */
import { answerTo } from "./refusal.js";
import { checkOrigin, checkType, parseBody } from "./requests.js";

/** What the page may load: itself. Loosen it when your page takes scripts or pictures from elsewhere. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** On every answer. */
export const securityHeaders = {
  "content-security-policy": policy,
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** A browser asks each time whether there is a newer one; a worker that is held back cannot be mended. */
export const pageCacheControl = "no-cache";

/**
 * Answers a request to a route. Never throws.
 *
 * @param {object} route  of service.routes
 * @param {{ headers: object, params?: object, text?: string }} request  the body as text
 * @returns {Promise<{ status: number, body?: object }>}
 */
export async function answer({ config, log }, route, { headers, params = {}, text = "" }) {
  try {
    if (route.isPage) checkOrigin(headers, config);
    if (route.method !== "GET") checkType(headers);
    const body = route.method === "GET" ? undefined : parseBody(text);
    return await route.handle({ body, headers, params });
  } catch (error) {
    return answerTo(error, log);
  }
}

/** A refusal in the form of all answers, for what a framework finds by itself. */
export const refused = {
  tooLarge: { error: "body-too-large", message: "the body is larger than 16 kB" },
  tooMany: { error: "too-many-requests", message: "too many requests; wait a minute and try again" },
  malformed: { error: "body-malformed", message: "the request cannot be read" },
  notAllowed: { error: "method-not-allowed", message: "this takes another method" },
  notFound: { error: "not-found", message: "there is nothing here" },
  failed: { error: "internal", message: "the server failed; its log says why" },
};
