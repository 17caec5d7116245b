/**
 * The address of a store in PostgreSQL: `postgres://user@host:5432/database?sslmode=…`.
 *
 * The address is kept in settings and shown in messages, so what is secret in it is taken out for people.
 * A password is better left out of it: `PGPASSWORD`, `PGPASSFILE` and `~/.pgpass` are read as by every client.
 */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { UserError, systemCode } from "../../base/errors.ts";
import { isLoopbackHost } from "../../protocol/subscription.ts";

/** How the way to the database is protected. */
const sslModes = ["disable", "no-verify", "require", "verify-ca", "verify-full"] as const;

type SslMode = (typeof sslModes)[number];

export interface StoreAddress {
  /** For the client: with its password, without what concerns TLS. */
  readonly connectionString: string;
  readonly ssl: false | ConnectionOptions;
  /** For people: without password and options. */
  readonly shown: string;
}

/** Whether a text is meant as the address of a database. */
export function isStoreAddress(text: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(text);
}

/**
 * Reads the address of a store.
 *
 * Without `sslmode`, TLS with a verified certificate is used to any host but this one: subscriptions are
 * capability URLs, and private keys may be among what crosses the wire.
 *
 * @throws UserError `store-address`
 */
export function parseStoreAddress(text: string): StoreAddress {
  const url = isStoreAddress(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw notAnAddress(text);
  const mode = sslModeOf(url);
  const rootCertificate = url.searchParams.get("sslrootcert");
  for (const name of ["sslmode", "sslrootcert"]) url.searchParams.delete(name);
  return { connectionString: url.href, ssl: tlsOf(mode, rootCertificate), shown: shownAddress(url) };
}

/** The address without what is secret in it; of a text that is none, nothing. */
export function withoutPassword(text: string): string {
  return isStoreAddress(text) && URL.canParse(text) ? shownAddress(new URL(text)) : "(not an address)";
}

/** Whether an address carries a password, as one on a command line should not. */
export function hasPassword(text: string): boolean {
  return URL.canParse(text) && (new URL(text).password !== "" || new URL(text).searchParams.has("password"));
}

function shownAddress(url: URL): string {
  const user = url.username === "" ? "" : `${url.username}@`;
  return `postgres://${user}${hostParameterOf(url) ?? url.host}${url.pathname}`;
}

/** `?host=…` goes before the host of the URL, as in libpq: it is where the connection leads. */
function hostParameterOf(url: URL): string | undefined {
  const host = url.searchParams.getAll("host").at(-1);
  return host === "" ? undefined : host;
}

function sslModeOf(url: URL): SslMode {
  const given = url.searchParams.get("sslmode");
  if (given === null) return isLocal(url) ? "disable" : "verify-full";
  const mode = sslModes.find((one) => one === given);
  if (mode !== undefined) return mode;
  throw new UserError("store-address", `sslmode cannot be ${JSON.stringify(given)}`, {
    hints: [`use one of ${sslModes.join(", ")}`],
  });
}

/** A socket of this machine, or its loopback addresses. */
function isLocal(url: URL): boolean {
  const host = hostParameterOf(url) ?? url.hostname;
  return host === "" || host.startsWith("/") || host.startsWith("%2F") || isLoopbackHost(host);
}

function tlsOf(mode: SslMode, rootCertificate: string | null): false | ConnectionOptions {
  if (mode === "disable") return false;
  if (mode === "no-verify") return { rejectUnauthorized: false };
  const ca = rootCertificate === null ? {} : { ca: readCertificate(rootCertificate) };
  // verify-ca: the chain is checked, the name is not.
  return mode === "verify-ca" ? { ...ca, checkServerIdentity: () => undefined } : ca;
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError(
      "store-address",
      `cannot read sslrootcert ${path} (${systemCode(error) ?? "error"})`,
      {
        hints: ["give the path of a PEM file with the authority that signed the database's certificate"],
        cause: error,
      },
    );
  }
}

function notAnAddress(text: string): UserError {
  // What was given may hold a password, so only what cannot be one is repeated.
  const scheme = /^([a-z][a-z0-9+.-]{0,15}):/i.exec(text)?.[1];
  const what =
    scheme === undefined
      ? "it has no postgres:// in front"
      : isStoreAddress(text)
        ? "a part of it cannot be read"
        : `it begins with ${scheme}:`;
  return new UserError("store-address", `that is not the address of a PostgreSQL database: ${what}`, {
    hints: ["write postgres://user@host:5432/database; characters such as @ and / in a part as %40 and %2F"],
  });
}
