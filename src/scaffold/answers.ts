/**
 * What a template is filled with, read strictly: the app's name, its server's path, its colour.
 */
import { UserError } from "../base/errors.ts";

/** What the page is called when nobody says. */
export const defaultAppName = "My app";
/** Where the page looks for its server when nobody says. */
export const defaultServerPath = "/webpush";
/** The colour of the template's own style sheet. */
export const defaultThemeColor = "#0b5d4e";

/** Longer names are cut off under every icon and in every notification. */
const longestAppName = 60;
/** Control characters, line ends of every kind, and halves of characters. */
const unusable = /[\p{Cc}\p{Cs}\u2028\u2029]/u;

/**
 * Reads the name of an app: any script, one line.
 *
 * @throws UserError `app-name`
 */
export function parseAppName(text: string): string {
  const name = text.trim();
  if (name === "") throw appNameError("the app's name is empty");
  if (unusable.test(name)) throw appNameError(`${JSON.stringify(name)} cannot be the app's name`);
  if (Array.from(name).length > longestAppName)
    throw appNameError(`the app's name ${JSON.stringify(name)} is too long`);
  return name;
}

function appNameError(message: string): UserError {
  return new UserError("app-name", message, {
    hints: [`give one line of up to ${longestAppName} characters: --name "My app"`],
  });
}

/** The path under which the page's own server answers, or that there is none. */
export type ServerPath = `/${string}` | "none";

/**
 * Reads the path under which the page's own server answers, or `none`. A missing slash at the
 * start is added, slashes at the end are taken off.
 *
 * @throws UserError `server-path`
 */
export function parseServerPath(text: string): ServerPath {
  const trimmed = text.trim();
  if (trimmed === "none") return trimmed;
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(trimmed)) {
    throw serverPathError(
      trimmed,
      "give a path: the page's content security policy allows its own site only",
    );
  }
  const path: ServerPath = `/${trimmed.replace(/^\/|\/+$/g, "")}`;
  const isPlain = /^(?:\/[A-Za-z0-9._~-]+)+$/.test(path) && !/\/\.{1,2}(?:\/|$)/.test(path);
  if (!isPlain) throw serverPathError(trimmed, "give a path such as /webpush, or none");
  return path;
}

function serverPathError(text: string, hint: string): UserError {
  return new UserError("server-path", `the server's path cannot be ${JSON.stringify(text)}`, {
    hints: [hint],
  });
}

/** What a push server can be written with. */
export const serverKinds = ["node", "express", "fastify", "hono"] as const;

export type ServerKind = (typeof serverKinds)[number];

/**
 * Reads a colour as `#rrggbb`; `#abc` and missing `#` are completed.
 *
 * @throws UserError `theme-color`
 */
export function parseThemeColor(text: string): string {
  const digits = text.trim().replace(/^#/, "").toLowerCase();
  if (/^[0-9a-f]{6}$/.test(digits)) return `#${digits}`;
  if (/^[0-9a-f]{3}$/.test(digits)) return `#${digits.replace(/./g, "$&$&")}`;
  throw new UserError("theme-color", `the theme colour cannot be ${JSON.stringify(text)}`, {
    hints: [`give it as "#rrggbb", in quotes: --theme-color "${defaultThemeColor}"`],
  });
}
