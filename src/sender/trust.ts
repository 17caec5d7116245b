/**
 * Which certificates are trusted: the default ones, and what `--ca` adds to them.
 *
 * Without an extra authority Node's own defaults apply, `NODE_EXTRA_CA_CERTS` among
 * them. With one, Node wants the whole list; from 22.15 on it can name its defaults,
 * before that only those it brings along, so there `NODE_EXTRA_CA_CERTS` is left out.
 */
import * as tls from "node:tls";
import { UserError } from "../base/errors.ts";

/** The part of a TLS connection's options that decides whom to believe. */
export interface Trust {
  readonly rejectUnauthorized: true;
  /** Made once: reading some 150 certificates for each connection is slow. */
  readonly secureContext?: tls.SecureContext;
}

/**
 * Trust in the default authorities and those of a PEM text.
 *
 * @throws UserError `ca-malformed`
 */
export function createTrust(pem: string | undefined): Trust {
  if (pem === undefined) return { rejectUnauthorized: true };
  const added = readCertificates(pem);
  return {
    rejectUnauthorized: true,
    secureContext: tls.createSecureContext({ ca: [...defaultAuthorities(), ...added] }),
  };
}

function defaultAuthorities(): readonly string[] {
  // `getCACertificates` is newer than the types of Node 20.
  const { getCACertificates } = tls as { getCACertificates?: (type: "default") => string[] };
  return getCACertificates?.("default") ?? tls.rootCertificates;
}

/** The certificates of a PEM text, each one read once: in a `ca` list Node skips damaged ones without a word. */
function readCertificates(pem: string): readonly string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) tls.createSecureContext({ cert: block });
  } catch (cause) {
    throw new UserError("ca-malformed", "the CA file holds a damaged certificate", {
      hints: ["export it again in PEM form"],
      cause,
    });
  }
  if (blocks.length > 0) return blocks;
  throw new UserError("ca-malformed", "the CA file holds no PEM certificate", {
    hints: ["give a file with a line -----BEGIN CERTIFICATE----- in it"],
  });
}
