import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import {
  createPayload,
  parseActions,
  parseData,
  parseDirection,
  type NotificationFields,
} from "../../src/protocol/payload.ts";
import { errorOf } from "../support/thrown.ts";

const decode = (fields: NotificationFields): unknown =>
  JSON.parse(new TextDecoder().decode(createPayload(fields)));

describe("a payload", () => {
  test("is a declarative push message", () => {
    const url = "https://example.com/threads/7";
    expect(decode({ title: "New reply", body: "Ada answered", url, tag: "t7", data: { id: 7 } })).toEqual({
      web_push: 8030,
      notification: { title: "New reply", body: "Ada answered", navigate: url, tag: "t7", data: { id: 7 } },
    });
  });

  test("has mutable and the app's badge in both places", () => {
    expect(decode({ title: "x", url: "/", mutable: true, appBadge: 0 })).toEqual({
      web_push: 8030,
      mutable: true,
      app_badge: 0,
      notification: { title: "x", navigate: "/", mutable: true, app_badge: 0 },
    });
  });

  test("without a URL leads to the start of the app", () => {
    expect(decode({ title: "x" })).toEqual({ web_push: 8030, notification: { title: "x", navigate: "." } });
  });

  test("gives every button somewhere to lead", () => {
    const actions = [
      { action: "a", title: "A", url: "/a" },
      { action: "b", title: "B", icon: "/b.png" },
    ];
    expect(decode({ title: "x", url: "/x", actions })).toMatchObject({
      notification: {
        actions: [
          { action: "a", title: "A", navigate: "/a" },
          { action: "b", title: "B", navigate: "/x", icon: "/b.png" },
        ],
      },
    });
  });

  test("passes every other option on under its own name", () => {
    const options: NotificationFields = {
      ...{ icon: "/i.png", badge: "/b.png", image: "/p.png", lang: "de", dir: "rtl", tag: "t" },
      ...{ requireInteraction: true, renotify: true, silent: false, vibrate: [200, 100], timestamp: 1 },
    };
    expect(decode({ title: "x", ...options })).toMatchObject({ notification: options });
  });

  test("takes any URL a page can have", () => {
    for (const url of [
      "https://a.example/x?y#z",
      "http://localhost:3000/",
      "http://127.0.0.1/",
      "/x",
      "x?y",
      "?",
      "#a",
    ])
      expect(decode({ title: "x", url })).toMatchObject({ notification: { navigate: url } });
  });

  test("holds any text and data unharmed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.jsonValue(), (body, data) => {
        const json = JSON.parse(JSON.stringify(data)) as never;
        expect(decode({ title: "x", body, data: json })).toMatchObject({
          notification: { body, data: json },
        });
      }),
    );
  });
});

describe("a payload is refused", () => {
  test.each<[string, string, NotificationFields]>([
    ["notification has no title", "payload-title-missing", { body: "x" }],
    ["notification has no title", "payload-title-missing", { title: " " }],
    [
      'url "javascript:alert(1)" does not lead to a web page',
      "payload-url",
      { title: "x", url: "javascript:alert(1)" },
    ],
    ['url "http://example.com/" is plain http', "payload-url", { title: "x", url: "http://example.com/" }],
    ['url "//example.com:x" is not a URL', "payload-url", { title: "x", url: "//example.com:x" }],
    ['url "" is not a URL', "payload-url", { title: "x", url: "" }],
    ["a silent notification cannot vibrate", "payload-conflict", { title: "x", silent: true, vibrate: [1] }],
    ["renotify needs a tag", "payload-conflict", { title: "x", renotify: true }],
    ["renotify needs a tag", "payload-conflict", { title: "x", renotify: true, tag: "" }],
    ["badge number -1 is not a whole number from 0 up", "payload-number", { title: "x", appBadge: -1 }],
    ["timestamp 1.5 is not a whole number from 0 up", "payload-number", { title: "x", timestamp: 1.5 }],
    ['action "a" lacks a title', "payload-actions", { title: "x", actions: [{ action: "a", title: "" }] }],
  ])("because %s", (message, code, fields) => {
    expect(errorOf(() => createPayload(fields))).toMatchObject({ code, message });
  });
});

describe("actions", () => {
  test.each<[string, unknown]>([
    [
      "open=Open it=https://a.example/x?y=z",
      [{ action: "open", title: "Open it", url: "https://a.example/x?y=z" }],
    ],
    [
      "open=Open; later = Later ;",
      [
        { action: "open", title: "Open" },
        { action: "later", title: "Later" },
      ],
    ],
    ['[{"action":"a","title":"A = B; C","navigate":"/a"}]', [{ action: "a", title: "A = B; C", url: "/a" }]],
    ['{"action":"a","title":"A","url":null}', [{ action: "a", title: "A" }]],
    ["", []],
  ])("%j", (text, actions) => {
    expect(parseActions(text)).toEqual(actions);
  });

  test.each([
    ["open", "payload-actions", 'action "open" lacks a title'],
    ["=Open", "payload-actions", 'action "Open" lacks a name'],
    ["[1]", "payload-actions", "action is not an object"],
    ['[{"action":1,"title":"A"}]', "payload-actions", "the action of an action is not text"],
    ["[{", "payload-actions", '"[{" is not JSON'],
    ["a=A=ftp://x", "payload-url", 'url of action "a" "ftp://x" does not lead to a web page'],
  ])("%j is refused", (text, code, message) => {
    expect(errorOf(() => parseActions(text))).toMatchObject({ code, message });
  });

  test("any text gives actions or a UserError", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
        try {
          parseActions(text);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });
});

test("data is any JSON, and plain text gets a hint", () => {
  expect(parseData('{"id":7}')).toEqual({ id: 7 });
  expect(errorOf(() => parseData("seven"))).toMatchObject({
    code: "payload-data",
    message: 'data: "seven" is not JSON',
  });
});

test("a direction is auto, ltr or rtl", () => {
  expect(parseDirection("RTL")).toBe("rtl");
  expect(errorOf(() => parseDirection("rlt"))).toMatchObject({
    code: "payload-direction",
    hints: ["use rtl"],
  });
});
