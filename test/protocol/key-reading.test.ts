import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect, test } from "vitest";
import { formatKeys } from "../../src/protocol/key-formats.ts";
import {
  failureOf,
  jwk,
  keyObject,
  otherPair,
  otherPrivateKey,
  otherPublicKey,
  pair,
  pkcs8,
  privateKey,
  publicKey,
  read,
  sec1,
  spki,
  spkiOf,
  standard,
} from "./key-samples.ts";

const indent = (text: string, by: string) => text.replace(/^/gm, by);

test.each<readonly [string, string | Uint8Array]>([
  ["web-push's JSON", `{"publicKey":"${publicKey}","privateKey":"${privateKey}"}\n`],
  [
    "JSON with other members",
    `{"name":"shop","privateKey":"${privateKey}","publicKey":"${publicKey}","v":1}`,
  ],
  ["JSON with short names", `{"public":"${publicKey}","private":"${privateKey}"}`],
  ["JSON with snake case", `{"vapid_public_key":"${publicKey}","vapid_private_key":"${privateKey}"}`],
  ["JSON with nested keys", `{"keys":{"publicKey":"${publicKey}","privateKey":"${privateKey}"}}`],
  ["JSON deep in a configuration", `{"web":{"vapid":{"public":"${publicKey}","private":"${privateKey}"}}}`],
  ["JSON in JSON", JSON.stringify(`{"publicKey":"${publicKey}","privateKey":"${privateKey}"}`)],
  ["JSON with a JWK as the private key", `{"privateKey":${jwk}}`],
  ["JSON with Buffers", JSON.stringify({ privateKey: Buffer.from(privateKey, "base64url") })],
  ["JSON with a private key alone", `{"privateKey":"${privateKey}"}`],
  ["console.log output on one line", `{ publicKey: '${publicKey}', privateKey: '${privateKey}' }`],
  ["console.log output on four lines", `{\n  publicKey: '${publicKey}',\n  privateKey: '${privateKey}'\n}`],
  ["source code", `const vapid = { publicKey: "${publicKey}", privateKey: "${privateKey}" };`],
  ["a PHP array", `'VAPID' => [\n 'publicKey' => '${publicKey}',\n 'privateKey' => '${privateKey}',\n]`],
  [".env lines", `VAPID_PUBLIC_KEY=${publicKey}\nVAPID_PRIVATE_KEY=${privateKey}\n`],
  [".env lines, quoted", `VAPID_PUBLIC_KEY="${publicKey}"\nVAPID_PRIVATE_KEY='${privateKey}' # secret\n`],
  [".env lines, exported", `export VAPID_PUBLIC_KEY=${publicKey}\nexport VAPID_PRIVATE_KEY=${privateKey}`],
  [".env lines with spaces", `VAPID_PUBLIC_KEY = ${publicKey}\nVAPID_PRIVATE_KEY = ${privateKey} # secret`],
  [
    ".env lines, other prefix",
    `WEB_PUSH_VAPID_PUBLIC_KEY=${publicKey}\nWEB_PUSH_VAPID_PRIVATE_KEY=${privateKey}`,
  ],
  [".env of Next.js", `NEXT_PUBLIC_VAPID_PUBLIC_KEY=${publicKey}\nVAPID_PRIVATE_KEY=${privateKey}`],
  [
    ".env of Next.js, misnamed",
    `NEXT_PUBLIC_VAPID_KEY=${publicKey}\nNEXT_PUBLIC_VAPID_PRIVATE_KEY=${privateKey}`,
  ],
  [".env of SvelteKit", `PUBLIC_VAPID_KEY=${publicKey}\nPRIVATE_VAPID_KEY=${privateKey}`],
  [
    ".env with the key twice",
    `VAPID_PUBLIC_KEY=${publicKey}\nVITE_VAPID_PUBLIC_KEY=${publicKey}\nVAPID_PRIVATE_KEY=${privateKey}`,
  ],
  [
    ".env beside other keys",
    `JWT_PRIVATE_KEY=abc\nPUBLIC_KEY=def\nVAPID_PRIVATE_KEY=${privateKey}\n#VAPID_PRIVATE_KEY=${otherPrivateKey}`,
  ],
  [".env with PEM on one line", `VAPID_PRIVATE_KEY="${sec1.replaceAll("\n", "\\n")}"`],
  [".env with PEM over several lines", `VAPID_PRIVATE_KEY="${pkcs8}"\nVAPID_PUBLIC_KEY=${publicKey}`],
  [".env with PKCS#8 base64", `VAPID_PRIVATE_KEY=${formatKeys(pair, undefined, "pkcs8")}`],
  [".env with a JWK", `VAPID_PRIVATE_KEY='${jwk}'\nVAPID_PUBLIC_KEY=${publicKey}`],
  [
    "a docker-compose file",
    `environment:\n  - VAPID_PUBLIC_KEY=${publicKey}\n  - VAPID_PRIVATE_KEY=${privateKey}`,
  ],
  ["YAML lines", `vapid_public_key: ${publicKey}\nvapid_private_key: "${privateKey}"`],
  ["nested YAML", `vapid:\n  public: ${publicKey}\n  private: ${privateKey}`],
  ["YAML with PEM", `vapid_private_key: |\n${indent(pkcs8, "  ")}`],
  ["TOML", `[vapid]\npublic_key = "${publicKey}"\nprivate_key = "${privateKey}"`],
  ["PowerShell", `$env:VAPID_PUBLIC_KEY = "${publicKey}"\r\n$env:VAPID_PRIVATE_KEY = "${privateKey}"\r\n`],
  [
    "web-push's human output",
    `\n=====\n\nPublic Key:\n${publicKey}\n\nPrivate Key:\n${privateKey}\n\n=====\n`,
  ],
  ["labels on the line", `Public Key: ${publicKey}\nPrivate Key: ${privateKey}`],
  ["web-push's flags as names", `vapid-pubkey=${publicKey}\nvapid-pvtkey=${privateKey}`],
  ["browser names", `Application Server Key = ${publicKey}\nprivate_key = ${privateKey}`],
  ["SEC1 PEM", sec1],
  [
    "SEC1 PEM as openssl ecparam writes it",
    `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${sec1}`,
  ],
  ["PKCS#8 PEM", pkcs8],
  ["PEM with both keys", pkcs8 + spki],
  ["PEM with \\n spelled out", sec1.replaceAll("\n", "\\n")],
  ["PEM with Windows line ends", pkcs8.replaceAll("\n", "\r\n")],
  ["SEC1 DER", keyObject.export({ type: "sec1", format: "der" })],
  ["PKCS#8 DER", keyObject.export({ type: "pkcs8", format: "der" })],
  ["PKCS#8 base64url", formatKeys(pair, undefined, "pkcs8")],
  [
    "DER in base64 lines",
    keyObject.export({ type: "sec1", format: "der" }).toString("base64").replace(/.{64}/g, "$&\n"),
  ],
  [
    "SEC1 DER without its public key",
    Buffer.from(
      `30310201010420${Buffer.from(privateKey, "base64url").toString("hex")}a00a06082a8648ce3d030107`,
      "hex",
    ),
  ],
  ["a JWK", jwk],
  ["a JWK without x and y", `{"kty":"EC","crv":"P-256","d":"${privateKey}"}`],
  ["the private key alone", privateKey],
  ["the private key alone, padded", `${privateKey}=\n`],
  ["the private key alone, standard base64", standard(privateKey)],
  ["the private key alone, quoted", `"${privateKey}"`],
  [
    "the private key with a leading zero byte",
    Buffer.from(`00${Buffer.from(privateKey, "base64url").toString("hex")}`, "hex").toString("base64url"),
  ],
  ["two lines", `${publicKey}\n${privateKey}\n`],
  ["two lines, private first", `${privateKey}\n${publicKey}`],
  ["two lines, standard base64", `${standard(publicKey)}\r\n${standard(privateKey)}\r\n`],
  ["a byte order mark", `\ufeff{"publicKey":"${publicKey}","privateKey":"${privateKey}"}`],
  [
    "UTF-16 of Windows PowerShell",
    Buffer.from(`\ufeff{"publicKey":"${publicKey}","privateKey":"${privateKey}"}\r\n`, "utf16le"),
  ],
])("%s is read", (_name, input) => {
  expect(read(input)).toEqual({ publicKey, privateKey, subject: undefined });
});

test.each([
  `VAPID_PRIVATE_KEY=${privateKey}\nVAPID_SUBJECT=mailto:a@company.de`,
  `VAPID_PRIVATE_KEY=${privateKey}\nVAPID_EMAIL="mailto:a@company.de"`,
  `{"subject":"mailto:a@company.de","publicKey":"${publicKey}","privateKey":"${privateKey}"}`,
  `{"vapidDetails":{"subject":"mailto:a@company.de","privateKey":"${privateKey}"}}`,
  `email: mailto:a@company.de\nprivateKey: ${privateKey}`,
])("the subject beside the keys is handed on: %s", (text) => {
  expect(read(text).subject).toBe("mailto:a@company.de");
});

test("a short private key is padded", () => {
  const short = Buffer.alloc(31, 9);
  expect(read(short.toString("base64url")).privateKey).toBe(
    Buffer.concat([Buffer.of(0), short]).toString("base64url"),
  );
});

const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
const pem = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" });
const onCurve = (namedCurve: string) => pem(generateKeyPairSync("ec", { namedCurve }).privateKey);
const passphrase = { cipher: "aes-256-cbc", passphrase: "x" } as const;

test.each<readonly [string, string | Uint8Array, string, string]>([
  ["nothing", "", "keys-unrecognized", "there are no keys, the input is empty"],
  ["white space", " \r\n", "keys-unrecognized", "there are no keys, the input is empty"],
  ["a word", "hello", "keys-unrecognized", "one word of 5 characters is no key"],
  ["an auth secret", "BTBZMqHH6r4Tts7J_aSIgg", "keys-unrecognized", "one word of 22 characters is no key"],
  [
    "prose",
    "the keys are in the vault",
    "keys-unrecognized",
    "25 characters of text hold no keys that webpush understands",
  ],
  ["other JSON", "{}", "keys-unrecognized", "JSON has no publicKey and privateKey"],
  ["binary", Buffer.of(1, 2, 0xff), "keys-unrecognized", "3 bytes are neither text nor one DER key"],
  [
    "a subscription",
    '{"endpoint":"https://push.example/a","keys":{"p256dh":"x","auth":"y"}}',
    "keys-unrecognized",
    "this is a browser's subscription, not a VAPID key pair",
  ],
  [
    "two public keys",
    `${publicKey}\n${otherPublicKey}`,
    "keys-unrecognized",
    "there are two public keys and no private key",
  ],
  [
    "two private keys",
    `${privateKey}\n${otherPrivateKey}`,
    "keys-unrecognized",
    "there are two words and no public key among them",
  ],
  ["a public key", publicKey, "keys-public-only", "there is a public key and no private key"],
  [
    "a public key by name",
    `VAPID_PUBLIC_KEY=${publicKey}\nVAPID_PRIVATE_KEY=`,
    "keys-public-only",
    "there is a public key and no private key",
  ],
  ["a public PEM", spki, "keys-public-only", "there is a public key and no private key"],
  [
    "a public JWK",
    JSON.stringify({ ...(JSON.parse(jwk) as object), d: undefined }),
    "keys-public-only",
    "there is a public key and no private key",
  ],
  [
    "an encrypted PKCS#8",
    keyObject.export({ type: "pkcs8", format: "pem", ...passphrase }),
    "keys-encrypted",
    "the private key is encrypted with a passphrase",
  ],
  [
    "an encrypted SEC1",
    keyObject.export({ type: "sec1", format: "pem", ...passphrase }),
    "keys-encrypted",
    "the private key is encrypted with a passphrase",
  ],
  [
    "an encrypted DER",
    keyObject.export({ type: "pkcs8", format: "der", ...passphrase }),
    "keys-encrypted",
    "the private key is encrypted with a passphrase",
  ],
  ["P-384", onCurve("P-384"), "keys-wrong-type", "the key is on P-384, VAPID needs EC on P-256"],
  [
    "secp256k1",
    onCurve("secp256k1"),
    "keys-wrong-type",
    "the key is on secp256k1, the curve of Bitcoin, VAPID needs EC on P-256",
  ],
  ["RSA", pem(rsa), "keys-wrong-type", "the key is RSA, VAPID needs EC on P-256"],
  [
    "RSA DER",
    rsa.export({ type: "pkcs1", format: "der" }),
    "keys-wrong-type",
    "the key is RSA, VAPID needs EC on P-256",
  ],
  [
    "Ed25519",
    pem(generateKeyPairSync("ed25519").privateKey),
    "keys-wrong-type",
    "the key is ed25519, VAPID needs EC on P-256",
  ],
  [
    "a service account",
    JSON.stringify({ type: "service_account", private_key: pem(rsa) }),
    "keys-wrong-type",
    "the key is RSA, VAPID needs EC on P-256",
  ],
  [
    "a P-384 JWK",
    '{"kty":"EC","crv":"P-384","d":"x"}',
    "keys-wrong-type",
    'the key has crv "P-384", VAPID needs EC on P-256',
  ],
  [
    "an Ed25519 JWK",
    '{"kty":"OKP","crv":"Ed25519","d":"x"}',
    "keys-wrong-type",
    'the key has kty "OKP", VAPID needs EC on P-256',
  ],
  [
    "a certificate",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    "keys-wrong-type",
    "PEM holds CERTIFICATE, which is no key",
  ],
  [
    "an OpenSSH key",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
    "keys-wrong-type",
    "PEM holds an OpenSSH key, not a VAPID key",
  ],
  ["a cut PEM", sec1.slice(0, -10), "keys-damaged", "PEM block has no matching END line"],
  ["a damaged PEM", sec1.replace(/\n.{20}/, "\n"), "keys-damaged", "PEM cannot be decoded as a key"],
  [
    "a JWK without y",
    `{"kty":"EC","crv":"P-256","x":"AAAA","d":"${privateKey}"}`,
    "keys-damaged",
    "JWK has an x or y that is not base64url of 32 bytes",
  ],
  [
    "a cut private key",
    privateKey.slice(0, -8),
    "vapid-private-key",
    "VAPID private key is 26 bytes, expected 32",
  ],
  [
    "swapped names",
    `VAPID_PUBLIC_KEY=${privateKey}\nVAPID_PRIVATE_KEY=${publicKey}`,
    "vapid-public-key",
    "VAPID public and private key are swapped",
  ],
  [
    "two keys of one name",
    `VAPID_PRIVATE_KEY=${privateKey}\nVAPID_PRIVATE_KEY=${otherPrivateKey}`,
    "keys-ambiguous",
    "there are two different private keys, VAPID_PRIVATE_KEY",
  ],
  [
    "two public keys by name",
    `VAPID_PUBLIC_KEY=${publicKey}\nNEXT_PUBLIC_VAPID_PUBLIC_KEY=${otherPublicKey}\nVAPID_PRIVATE_KEY=${privateKey}`,
    "keys-ambiguous",
    "there are two different public keys, VAPID_PUBLIC_KEY and NEXT_PUBLIC_VAPID_PUBLIC_KEY",
  ],
  [
    "two private PEMs",
    `${sec1}\n${formatKeys(otherPair, undefined, "pem")}`,
    "keys-ambiguous",
    "there are two different private keys",
  ],
])("%s is refused with its own sentence", (_name, input, code, message) => {
  const error = failureOf(input);
  expect([error.code, error.message]).toEqual([code, message]);
  expect(error.hints).not.toEqual([]);
});

const strangeSec1 = keyObject.export({ type: "sec1", format: "der" });
Buffer.from(otherPublicKey, "base64url").copy(strangeSec1, strangeSec1.length - 65);

test.each<readonly [string, string | Uint8Array]>([
  ["JSON", `{"publicKey":"${otherPublicKey}","privateKey":"${privateKey}"}`],
  [".env lines", `VAPID_PUBLIC_KEY=${otherPublicKey}\nVAPID_PRIVATE_KEY=${privateKey}`],
  ["two lines", `${privateKey}\n${otherPublicKey}`],
  ["a JWK", jwk.replace(/"d":"[^"]*"/, `"d":"${otherPrivateKey}"`)],
  ["PEM beside a public key", `VAPID_PRIVATE_KEY="${sec1}"\nVAPID_PUBLIC_KEY=${otherPublicKey}`],
  ["PEM with somebody's public PEM", sec1 + "\n" + spkiOf(formatKeys(otherPair, undefined, "pem"))],
  // OpenSSL imports these without a word.
  ["SEC1 that holds a strange public key", strangeSec1],
])("a pair that does not match is refused in %s", (_name, input) => {
  expect(failureOf(input).code).toBe("vapid-pair-mismatch");
});
