/** The emulator's certificate, looked at as those do who will have to trust it. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { expect, test } from "vitest";
import { Secret } from "../../src/base/secret.ts";
import { createTlsIdentity, readTlsIdentity } from "../../src/emulator/certificate.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { countingRandom } from "./machine.ts";

const clock = { now: () => Date.now() };
const create = () => createTlsIdentity({ clock, random: countingRandom() });
const dayMs = 86_400_000;

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

test("the authority may sign one level, for this machine and the push hosts, and no other", () => {
  const authority = new X509Certificate(create().caPem);
  expect(authority.ca).toBe(true);
  expect(authority.subject).toMatch(/^CN=webpush emulator CA [0-9a-f]{8}$/);
  expect(authority.verify(authority.publicKey)).toBe(true);
});

test("the certificate is for this machine and the push hosts, from a day ago for two years", () => {
  const { caPem, certificatePem, spkiSha256 } = create();
  const certificate = new X509Certificate(certificatePem);
  expect(certificate.verify(new X509Certificate(caPem).publicKey)).toBe(true);
  expect(certificate.ca).toBe(false);
  for (const host of [
    "localhost",
    "fcm.googleapis.com",
    "jmt17.google.com",
    "updates.push.services.mozilla.com",
    "web.push.apple.com",
    "wns2-par02p.notify.windows.com",
  ])
    expect(certificate.checkHost(host), host).toBeDefined();
  expect(certificate.checkIP("127.0.0.1")).toBeDefined();
  expect(certificate.checkIP("::1")).toBeDefined();
  expect(certificate.checkHost("www.google.com")).toBeUndefined();
  expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now() - dayMs / 2);
  expect((Date.parse(certificate.validTo) - Date.now()) / dayMs).toBeCloseTo(730, 0);
  const spki = certificate.publicKey.export({ type: "spki", format: "der" });
  expect(spkiSha256).toBe(createHash("sha256").update(spki).digest("base64"));
});

test.each(["localhost", "fcm.googleapis.com", "updates.push.services.mozilla.com"])(
  "Node accepts it for %s when told of the authority, and not otherwise",
  async (servername) => {
    const { caPem: ca, certificatePem: cert, keyPem } = create();
    const server = createServer({ cert, key: keyPem.reveal() }).listen(0, "127.0.0.1");
    server.on("tlsClientError", () => undefined);
    await once(server, "listening");
    const options = { host: "127.0.0.1", port: (server.address() as AddressInfo).port, servername };
    const trusting = connect({ ...options, ca });
    await once(trusting, "secureConnect");
    expect(trusting.authorized).toBe(true);
    trusting.destroy();
    const [refusal] = (await once(connect(options), "error")) as [NodeJS.ErrnoException];
    expect(refusal.code).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    server.close();
  },
);

test.skipIf(!hasOpenssl)("openssl accepts it too, and sees the constraints", () => {
  const folder = tempFolder();
  const { caPem, certificatePem } = create();
  writeFileSync(join(folder, "ca.pem"), caPem);
  writeFileSync(join(folder, "leaf.pem"), certificatePem);
  const openssl = (...argv: readonly string[]) => execFileSync("openssl", argv, { cwd: folder }).toString();
  const verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem"];
  for (const host of ["localhost", "jmt17.google.com", "web.push.apple.com"])
    expect(openssl(...verify, "-verify_hostname", host, "leaf.pem")).toBe("leaf.pem: OK\n");
  for (const address of ["127.0.0.1", "::1"])
    expect(openssl(...verify, "-verify_ip", address, "leaf.pem")).toBe("leaf.pem: OK\n");
  const text = openssl("x509", "-in", "ca.pem", "-noout", "-text");
  expect(text).toMatch(
    /X509v3 Name Constraints: critical\s+Permitted:\s+DNS:localhost\s+DNS:fcm\.googleapis\.com/,
  );
  expect(text).toContain("IP:127.0.0.0/255.0.0.0");
  expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
  expect(text).toMatch(/Key Usage: critical\s+Certificate Sign\s/);
});

test("a kept identity is read back, unless it is damaged, old, or not of one piece", () => {
  const identity = create();
  const { caPem, certificatePem, keyPem } = identity;
  const now = Date.now();
  expect(readTlsIdentity({ caPem, certificatePem, keyPem }, now)).toEqual(identity);
  expect(readTlsIdentity({ caPem, certificatePem, keyPem }, now + 731 * dayMs)).toBeUndefined();
  expect(readTlsIdentity({ caPem, certificatePem, keyPem: create().keyPem }, now)).toBeUndefined();
  expect(readTlsIdentity({ caPem: create().caPem, certificatePem, keyPem }, now)).toBeUndefined();
  expect(readTlsIdentity({ caPem, certificatePem, keyPem: new Secret("x") }, now)).toBeUndefined();
  expect(readTlsIdentity({ caPem, certificatePem: "x", keyPem }, now)).toBeUndefined();
});

test("the key does not show itself", () => {
  expect(JSON.stringify(create())).not.toContain("PRIVATE KEY");
});
