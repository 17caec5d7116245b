/**
 * The emulator's own certificate authority and the one certificate it ever signs.
 *
 * Senders are told to trust the authority, so it must be harmless: it may speak for
 * this machine and the vendors' push hosts only (name constraints), and its private
 * key is gone once the certificate is signed, so a stolen file can sign nothing.
 */
import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  sign,
  X509Certificate,
  type KeyObject,
} from "node:crypto";
import type { Clock, Random } from "../base/clock.ts";
import { Secret } from "../base/secret.ts";
import {
  bitString,
  booleanTrue,
  constructed,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  time,
  utf8String,
} from "./der.ts";
import { vendorDomains, vendorNames } from "./vendor-hosts.ts";

/** What the emulator shows to those who connect over TLS. */
export interface TlsIdentity {
  /** The authority, for whoever is to trust the emulator: `NODE_EXTRA_CA_CERTS`, `--ca`. */
  readonly caPem: string;
  readonly certificatePem: string;
  readonly keyPem: Secret<string>;
  /** Base64 of the SHA-256 of the certificate's key, as Chromium's `--ignore-certificate-errors-spki-list` wants it. */
  readonly spkiSha256: string;
}

/** An identity as it is kept in files. */
export type TlsIdentityPems = Omit<TlsIdentity, "spkiSha256">;

const dayMs = 86_400_000;
/** Below the 825 days that Apple's systems accept. */
const validDays = 730;

/** A new identity, valid from a day before now, for clocks that differ a little. */
export function createTlsIdentity({ clock, random }: { clock: Clock; random: Random }): TlsIdentity {
  const now = clock.now();
  const validity = sequence(time(now - dayMs), time(now + validDays * dayMs));
  const authority = newKeyPair();
  const server = newKeyPair();
  // Each authority has its own name, or a store that trusts two of them may try the wrong one.
  const authorityName = nameOf(`webpush emulator CA ${Buffer.from(random.bytes(4)).toString("hex")}`);
  const build = (key: KeyObject, subject: Uint8Array, extensions: readonly Uint8Array[]) =>
    pem(
      signed(authority.privateKey, {
        serial: serialNumber(random),
        issuer: authorityName,
        validity,
        subject,
        key,
        extensions,
      }),
    );
  return identityOf({
    caPem: build(authority.publicKey, authorityName, authorityExtensions(authority.publicKey)),
    certificatePem: build(
      server.publicKey,
      nameOf("webpush emulator"),
      serverExtensions(server.publicKey, authority.publicKey),
    ),
    keyPem: new Secret(server.privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
  });
}

/** A kept identity; `undefined` when it does not hold together, will soon be too old, or lacks a name we need. */
export function readTlsIdentity(pems: TlsIdentityPems, now: number): TlsIdentity | undefined {
  try {
    const authority = new X509Certificate(pems.caPem);
    const certificate = new X509Certificate(pems.certificatePem);
    const isWhole =
      certificate.verify(authority.publicKey) &&
      certificate.checkPrivateKey(createPrivateKey(pems.keyPem.reveal()));
    const isInTime =
      Date.parse(certificate.validFrom) <= now && Date.parse(certificate.validTo) - dayMs > now;
    const names = new Set(certificate.subjectAltName?.split(", "));
    const namesAll = serverNames().every((name) => names.has(`DNS:${name}`));
    return isWhole && isInTime && namesAll ? identityOf(pems) : undefined;
  } catch {
    return undefined; // what is not a certificate or not a key
  }
}

function identityOf(pems: TlsIdentityPems): TlsIdentity {
  const { publicKey } = new X509Certificate(pems.certificatePem);
  return { ...pems, spkiSha256: createHash("sha256").update(spkiOf(publicKey)).digest("base64") };
}

interface Certificate {
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly validity: Uint8Array;
  readonly subject: Uint8Array;
  readonly key: KeyObject;
  readonly extensions: readonly Uint8Array[];
}

/** The certificate in DER (RFC 5280 §4.1), ECDSA with SHA-256 (RFC 5758 §3.2). */
function signed(authority: KeyObject, certificate: Certificate): Uint8Array {
  const { serial, issuer, validity, subject, key, extensions } = certificate;
  const algorithm = sequence(objectIdentifier("1.2.840.10045.4.3.2"));
  const content = sequence(
    constructed(0, integer(Uint8Array.of(2))), // version 3
    serial,
    algorithm,
    issuer,
    validity,
    subject,
    spkiOf(key),
    constructed(3, sequence(...extensions)),
  );
  return sequence(content, algorithm, bitString(sign("sha256", content, authority)));
}

/** RFC 5280 §4.2.1: an authority for one certificate below it, and for our names alone. */
function authorityExtensions(key: KeyObject): readonly Uint8Array[] {
  const permitted = [
    ...[localName, ...vendorDomains()].map(dnsName),
    ipAddress(Uint8Array.of(127, 0, 0, 0, 255, 0, 0, 0)),
    ipAddress(Uint8Array.from([...ipv6Loopback, ...new Array<number>(16).fill(255)])),
  ];
  return [
    critical("2.5.29.19", sequence(booleanTrue(), integer(Uint8Array.of(0)))), // basicConstraints
    critical("2.5.29.15", bitString(Uint8Array.of(0b0000_0100), 2)), // keyUsage: keyCertSign
    critical("2.5.29.30", sequence(constructed(0, ...permitted.map((name) => sequence(name))))), // nameConstraints
    extension("2.5.29.14", octetString(keyIdentifier(key))),
  ];
}

function serverExtensions(key: KeyObject, authority: KeyObject): readonly Uint8Array[] {
  const names = [
    ...serverNames().map(dnsName),
    ipAddress(Uint8Array.of(127, 0, 0, 1)),
    ipAddress(Uint8Array.from(ipv6Loopback)),
  ];
  return [
    critical("2.5.29.15", bitString(Uint8Array.of(0b1000_0000), 7)), // keyUsage: digitalSignature
    extension("2.5.29.37", sequence(objectIdentifier("1.3.6.1.5.5.7.3.1"))), // extKeyUsage: serverAuth
    extension("2.5.29.17", sequence(...names)), // subjectAltName
    extension("2.5.29.14", octetString(keyIdentifier(key))),
    extension("2.5.29.35", sequence(implicit(0, keyIdentifier(authority)))),
  ];
}

const localName = "localhost";
const ipv6Loopback: readonly number[] = [...new Array<number>(15).fill(0), 1];

function serverNames(): readonly string[] {
  return [localName, ...vendorNames()];
}

function extension(id: string, content: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(id), octetString(content));
}

function critical(id: string, content: Uint8Array): Uint8Array {
  return sequence(objectIdentifier(id), booleanTrue(), octetString(content));
}

/** GeneralName (RFC 5280 §4.2.1.6). */
function dnsName(name: string): Uint8Array {
  return implicit(2, Buffer.from(name));
}

/** GeneralName of an address, or with its mask of a range (RFC 5280 §4.2.1.10). */
function ipAddress(bytes: Uint8Array): Uint8Array {
  return implicit(7, bytes);
}

function nameOf(commonName: string): Uint8Array {
  return sequence(setOf(sequence(objectIdentifier("2.5.4.3"), utf8String(commonName))));
}

/** Positive and not zero (RFC 5280 §4.1.2.2). */
function serialNumber(random: Random): Uint8Array {
  return integer(Uint8Array.from([0x40 | ((random.bytes(1)[0] ?? 0) & 0x3f), ...random.bytes(15)]));
}

/** RFC 7093 §2, method 1, over the whole key. */
function keyIdentifier(key: KeyObject): Uint8Array {
  return createHash("sha256").update(spkiOf(key)).digest().subarray(0, 20);
}

function spkiOf(key: KeyObject): Uint8Array {
  return key.export({ type: "spki", format: "der" });
}

function newKeyPair(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: "prime256v1" });
}

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
