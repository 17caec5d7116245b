/**
 * Errors of connecting -> `TransportFailure`, in words for people.
 *
 * Before a connection stands nothing was sent, so all of this may be tried again. After
 * that every failure is ambiguous, also the reset of a kept-alive connection that the
 * service was just closing: from here it looks the same as a reset after the message was
 * stored (RFC 9110 §9.2.2). Words come from us, never from the error's own message, which
 * may quote a peer.
 */
import { systemCode } from "../base/errors.ts";
import type { TransportFailure } from "../protocol/delivery.ts";
import { AddressRefused } from "./address-guard.ts";

/** Whose connection did not come about. */
export interface Place {
  /** The service, as `host` or `host:port`. */
  readonly host: string;
  /** The proxy in between, as `host:port`. */
  readonly proxy: string | undefined;
}

/** There is no connection, for a reason in our own words. */
export class NoConnection extends Error {
  override readonly name = "NoConnection";
}

/** What becomes of an exchange whose connection is lost. */
export const brokeOff = "the connection broke before an answer came";

/** What it means that there is no connection. Nothing was sent. */
export function failureOf(error: unknown, { host, proxy }: Place): TransportFailure {
  if (error instanceof AddressRefused) return { kind: "blocked", message: error.message };
  if (error instanceof NoConnection) return { kind: "connect", message: `${host}: ${error.message}` };
  const code = systemCode(error) ?? "";
  if (isTlsCode(code)) return { kind: "tls", message: `${host}: ${tlsWords[code] ?? code}` };
  // A proxy that cannot be found says nothing about the endpoint's own name.
  if (proxy !== undefined) {
    return {
      kind: "connect",
      message: `${host} through proxy ${proxy}: ${connectWords[code] ?? "no tunnel"}`,
    };
  }
  if (isDnsCode(code)) return { kind: "dns", message: `${host}: ${dnsWords[code] ?? code}` };
  return { kind: "connect", message: `${host}: ${connectWords[code] ?? (code || "no connection")}` };
}

/** Whether it failed because none of the protocols that were offered is spoken there (RFC 7301 §3.2). */
export function refusesOffer(error: unknown): boolean {
  return systemCode(error) === "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL";
}

function isDnsCode(code: string): boolean {
  return code === "ENOTFOUND" || code.startsWith("EAI_");
}

function isTlsCode(code: string): boolean {
  return /^(?:CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$|CRL_|INVALID_|ERROR_IN_|HOSTNAME_)/.test(
    code,
  );
}

const dnsWords: Readonly<Record<string, string>> = {
  ENOTFOUND: "the name does not resolve",
  EAI_AGAIN: "the name server does not answer",
};

const connectWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection closed at once",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ETIMEDOUT: "connection timed out",
  EADDRNOTAVAIL: "no local port is free",
  EMFILE: "too many open files here",
  ENOTFOUND: "the proxy's name does not resolve",
  EAI_AGAIN: "the name server does not answer",
};

const tlsWords: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate's issuer is not trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the certificate's issuer is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the certificate's issuer is not trusted",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another name",
  EPROTO: "no TLS is spoken there",
  ERR_SSL_WRONG_VERSION_NUMBER: "no TLS is spoken there",
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: "neither HTTP/2 nor HTTP/1.1 is spoken there",
};
