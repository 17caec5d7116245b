import { expect, test } from "vitest";
import { parseEndpoint } from "../../src/protocol/subscription.ts";
import { createProxyRule, parseProxy } from "../../src/sender/proxy.ts";

const proxy = "http://proxy.test:3128";

function proxyOf(endpoint: string, environment: Record<string, string>, url?: string): string | undefined {
  return createProxyRule({ url, environment })(parseEndpoint(endpoint))?.href;
}

test.each([
  [{}, undefined],
  [{ HTTPS_PROXY: proxy }, `${proxy}/`],
  [{ https_proxy: proxy }, `${proxy}/`],
  [{ https_proxy: proxy, HTTPS_PROXY: "http://other.test" }, `${proxy}/`],
  [{ ALL_PROXY: proxy }, `${proxy}/`],
  [{ HTTPS_PROXY: "proxy.test:3128" }, `${proxy}/`],
  [{ HTTPS_PROXY: "" }, undefined],
  [{ HTTP_PROXY: proxy }, undefined], // that one is for http:// targets, which do not exist here
])("%j gives %s", (environment, expected) => {
  expect(proxyOf("https://push.example.net/p", environment)).toBe(expected);
});

test.each([
  ["push.example.net", true],
  ["PUSH.example.net", true],
  ["example.net", true],
  [".example.net", true],
  ["*.example.net", true],
  ["*", true],
  ["other.test, push.example.net", true],
  ["other.test push.example.net", true],
  ["push.example.net:443", true],
  ["push.example.net:8443", false],
  ["ample.net", false],
  ["push.example.net.evil.test", false],
  ["", false],
  [" , ,", false],
])("NO_PROXY=%j exempts push.example.net: %s", (list, exempt) => {
  const expected = exempt ? undefined : `${proxy}/`;
  expect(proxyOf("https://push.example.net/p", { HTTPS_PROXY: proxy, NO_PROXY: list })).toBe(expected);
});

test.each(["2606:4700::1111", "[2606:4700::1111]", "[2606:4700::1111]:443"])(
  "NO_PROXY=%s exempts it",
  (list) => {
    const environment = { HTTPS_PROXY: proxy, no_proxy: list };
    expect(proxyOf("https://[2606:4700::1111]/p", environment)).toBeUndefined();
  },
);

test.each(["http://localhost:8080/p", "https://localhost:8443/p", "https://127.0.0.1/p", "http://[::1]:1/p"])(
  "%s never goes through a proxy",
  (endpoint) => {
    expect(
      proxyOf(endpoint, { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, ALL_PROXY: proxy }, proxy),
    ).toBeUndefined();
  },
);

test("the proxy given explicitly wins over the environment, but not over NO_PROXY", () => {
  const environment = { HTTPS_PROXY: "http://other.test", NO_PROXY: "direct.test" };
  expect(proxyOf("https://push.example.net/p", environment, proxy)).toBe(`${proxy}/`);
  expect(proxyOf("https://direct.test/p", environment, proxy)).toBeUndefined();
});

test("an empty proxy given explicitly means none", () => {
  expect(proxyOf("https://push.example.net/p", { HTTPS_PROXY: proxy }, "")).toBeUndefined();
});

test.each([
  ["socks5://user:hunter2@proxy.test:1080", "proxy is a socks5 URL"],
  ["http://", "proxy is a http URL"],
  ["::", "proxy is not a URL"],
])("%s is refused without showing its password", (text, message) => {
  expect(() => parseProxy(text)).toThrow(expect.objectContaining({ code: "proxy-malformed", message }));
});
