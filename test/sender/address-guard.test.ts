import type { LookupAddress } from "node:dns";
import { describe, expect, test } from "vitest";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import {
  createAddressGuard,
  isPublicAddress,
  parseAllowedHost,
  type AddressGuard,
  type AddressRules,
} from "../../src/sender/address-guard.ts";

const closed: AddressRules = { private: false, hosts: [] };

/** A resolver that knows one answer; without one it must not be asked. */
const resolvesTo =
  (...addresses: string[]) =>
  (): Promise<LookupAddress[]> =>
    addresses.length === 0
      ? Promise.reject(new Error("the resolver was asked"))
      : Promise.resolve(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));

const guardWith = (rules: Partial<AddressRules>, ...addresses: string[]): AddressGuard =>
  createAddressGuard({ ...closed, ...rules }, resolvesTo(...addresses));

/** The addresses a connection to the endpoint would be made to. */
function connect(guard: AddressGuard, endpoint: string): Promise<string[]> {
  const parsed = parseEndpoint(endpoint);
  const refusal = guard.refusalOf(parsed);
  if (refusal !== undefined) return Promise.reject(new Error(refusal));
  return new Promise((resolve, reject) => {
    guard.lookupFor(parsed)(new URL(endpoint).hostname, { all: true }, (error, addresses) => {
      if (error) reject(error);
      else resolve((addresses as LookupAddress[]).map(({ address }) => address));
    });
  });
}

test.each([
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.1",
  "100.64.0.1",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.254",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.8",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.1.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.7",
  "203.0.113.9",
  "224.0.0.1",
  "239.255.255.250",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::7f00:1",
  "::127.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "0:0:0:0:0:ffff:10.1.2.3",
  "::ffff:0.0.0.0",
  "64:ff9b::10.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b::169.254.169.254",
  "64:ff9b:1::1",
  "64:ff9b:1::8.8.8.8",
  "100::1",
  "2001::1",
  "2001:0:4136:e378:8000:63bf:3fff:fdd2",
  "2001:1ff:ffff::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "2002:808:808::1",
  "3fff::1",
  "5f00::1",
  "fc00::1",
  "fdff::1",
  "fe80::1",
  "fe80::1%eth0",
  "febf::1",
  "fec0::1",
  "ff02::1",
  "not an address",
  "",
])("%j is not a public address", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.each([
  "8.8.8.8",
  "1.1.1.1",
  "100.63.255.255",
  "100.128.0.1",
  "172.15.255.255",
  "172.32.0.1",
  "192.0.1.1",
  "192.169.0.1",
  "198.17.255.255",
  "198.20.0.1",
  "223.255.255.255",
  "2001:4860:4860::8888",
  "2001:200::1",
  "2606:4700:4700::1111",
  "2a00:1450:4001:82f::200a",
  "::ffff:8.8.8.8",
  "64:ff9b::8.8.8.8",
  "64:ff9b::808:0",
])("%s is a public address", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  "https://10.0.0.1/p",
  "https://192.168.0.1/p",
  "https://169.254.169.254/latest/meta-data",
  "https://0.0.0.0/p",
  "https://10.0.0.1./p",
  "https://[fd00::1]/p",
  "https://[fe80::1]/p",
  "https://[::ffff:10.0.0.1]/p",
  "https://[::ffff:7f00:1]/p",
  "https://[64:ff9b::a00:1]/p",
  "https://[2002:a00:1::]/p",
])("%s is refused by its text alone", (endpoint) => {
  expect(guardWith({}).refusalOf(parseEndpoint(endpoint))).toMatch(/is not a public address$/);
});

test.each([
  ["https://push.example.net:8443/p", "port 8443 of push.example.net is not 443"],
  ["https://push.example.net:80/p", "port 80 of push.example.net is not 443"],
  ["https://8.8.8.8:22/p", "port 22 of 8.8.8.8 is not 443"],
])("%s is refused for its port", (endpoint, why) => {
  expect(guardWith({}).refusalOf(parseEndpoint(endpoint))).toBe(why);
});

test.each(["https://push.example.net/p", "https://push.example.net:443/p"])(
  "%s may be asked",
  async (endpoint) => {
    expect(await connect(guardWith({}, "93.184.215.14", "2606:2800::1"), endpoint)).toEqual([
      "93.184.215.14",
      "2606:2800::1",
    ]);
  },
);

test.each([["127.0.0.1"], ["10.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["93.184.215.14", "169.254.169.254"]])(
  "a name that leads to %s is refused",
  async (...addresses) => {
    await expect(connect(guardWith({}, ...addresses), "https://evil.test/p")).rejects.toThrow(
      `evil.test leads to ${addresses.at(-1) ?? ""}, which is not a public address`,
    );
  },
);

test("a name is judged anew at each connection", async () => {
  const answers = [["93.184.215.14"], ["127.0.0.1"]];
  const guard = createAddressGuard(closed, () => resolvesTo(...(answers.shift() ?? []))());
  await expect(connect(guard, "https://rebind.test/p")).resolves.toEqual(["93.184.215.14"]);
  await expect(connect(guard, "https://rebind.test/p")).rejects.toThrow("leads to 127.0.0.1");
});

test.each([
  "http://localhost:8080/p",
  "https://localhost/p",
  "https://LOCALHOST:9/p",
  "http://localhost.:8080/p",
  "http://push.localhost:8080/p",
])("%s is this machine, without asking a resolver", async (endpoint) => {
  expect(await connect(guardWith({}), endpoint)).toEqual(["127.0.0.1", "::1"]);
});

test.each(["http://127.0.0.1:8080/p", "https://127.8.8.8/p", "http://[::1]:8080/p"])(
  "%s is plainly this machine",
  (endpoint) => {
    expect(guardWith({}).refusalOf(parseEndpoint(endpoint))).toBeUndefined();
  },
);

test.each(["https://localhost.evil.test/p", "https://127.0.0.1.evil.test/p", "https://notlocalhost/p"])(
  "%s only looks like this machine",
  async (endpoint) => {
    await expect(connect(guardWith({}, "127.0.0.1"), endpoint)).rejects.toThrow("is not a public address");
  },
);

describe("where the list may be strangers'", () => {
  const rules = { private: false, hosts: [], loopback: false };

  test.each([
    "http://127.0.0.1:5432/p",
    "http://localhost.:6379/p",
    "https://a.localhost/p",
    "http://[::1]/p",
    "https://127.8.8.8/p",
  ])("%s is not asked", (endpoint) => {
    expect(createAddressGuard(rules).refusalOf(parseEndpoint(endpoint))).toMatch(/ is this machine$/);
  });

  test("it is when it was named, on the port that was named, or when all private addresses are open", () => {
    const endpoint = parseEndpoint("http://127.0.0.1:8030/p");
    const refusal = (over: Partial<AddressRules>) =>
      createAddressGuard({ ...rules, ...over }).refusalOf(endpoint);
    expect(refusal({ hosts: ["127.0.0.1:8030"] })).toBeUndefined();
    expect(refusal({ hosts: ["127.0.0.1:5432"] })).toBe("127.0.0.1 is this machine");
    expect(refusal({ private: true })).toBeUndefined();
  });
});

test("--allow-private opens private addresses, but no other port", async () => {
  const guard = guardWith({ private: true }, "10.0.0.1");
  await expect(connect(guard, "https://push.corp.test/p")).resolves.toEqual(["10.0.0.1"]);
  expect(guard.refusalOf(parseEndpoint("https://192.168.0.1/p"))).toBeUndefined();
  expect(guard.refusalOf(parseEndpoint("https://push.corp.test:8443/p"))).toMatch(/^port 8443/);
});

test.each([
  ["push.corp.test", "https://push.corp.test/p", true],
  ["push.corp.test", "https://push.corp.test:8443/p", true],
  ["PUSH.corp.test.", "https://push.corp.test./p", true],
  ["push.corp.test.", "https://push.corp.test/p", true],
  ["push.corp.test", "https://push.corp.test.:8443/p", true],
  ["push.corp.test:8443", "https://push.corp.test:8443/p", true],
  ["push.corp.test:8443", "https://push.corp.test:9443/p", false],
  ["push.corp.test:8443", "https://push.corp.test/p", false],
  ["corp.test", "https://push.corp.test/p", false],
  ["10.0.0.1", "https://10.0.0.1:8443/p", true],
  ["[fd00::1]:8443", "https://[fd00:0::1]:8443/p", true],
])("--allow-host %s lets %s through: %s", async (host, endpoint, allowed) => {
  const verdict = connect(guardWith({ hosts: [host] }, "10.0.0.1"), endpoint);
  if (allowed) await expect(verdict).resolves.toEqual(["10.0.0.1"]);
  else await expect(verdict).rejects.toThrow();
});

test.each([
  "",
  "https://push.test",
  "push.test:port",
  "push.test/path",
  "a b",
  "user@host",
  "fd00::1",
  "*.test:x",
])("--allow-host %j is refused", (text) => {
  expect(() => parseAllowedHost(text)).toThrow(expect.objectContaining({ code: "allow-host" }));
});
