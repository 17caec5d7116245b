import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openNotificationBus } from "../../../src/browsers/notification-bus/bus.ts";
import {
  NotificationService,
  type ShownNotification,
} from "../../../src/browsers/notification-bus/notifications.ts";
import type { DbusValue } from "../../../src/browsers/notification-bus/signature.ts";
import { bus, DbusClient, notificationService } from "../../support/dbus-client.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const busId = "0123456789abcdef0123456789abcdef";

async function openBus(socketPath = join(tempFolder(), "bus")) {
  const shown: ShownNotification[] = [];
  const service = new NotificationService((notification) => shown.push(notification));
  const opened = await openNotificationBus({ socketPath, busId, service });
  onTestFinished(() => opened.close());
  return { socketPath, shown, address: opened.address };
}

/** Application, replaced id, icon, title, body, actions, hints, timeout. */
function notify(over: {
  readonly replaces?: number;
  readonly title?: string;
  readonly actions?: readonly string[];
}) {
  const { replaces = 0, title = "New reply", actions = ["default", ""] } = over;
  const hints: DbusValue = [
    ["urgency", { signature: "y", value: 1 }],
    ["x-kde-origin-name", { signature: "s", value: "127.0.0.1:8040" }],
  ];
  const body = ["Chromium", replaces, "", title, "Ada answered", actions, hints, -1];
  return { ...notificationService, member: "Notify", signature: "susssasa{sv}i", body };
}

describe("a client", () => {
  test.each([
    ["as libdbus does", ["\0AUTH EXTERNAL 30\r\n"], [`OK ${busId}`]],
    [
      "as GDBus does, asking first",
      ["\0AUTH\r\n", "AUTH EXTERNAL 30\r\n"],
      ["REJECTED EXTERNAL", `OK ${busId}`],
    ],
    ["as sd-bus does, in two steps", ["\0AUTH EXTERNAL\r\n", "DATA\r\n"], ["DATA", `OK ${busId}`]],
    [
      "after another mechanism",
      ["\0AUTH ANONYMOUS\r\n", "AUTH EXTERNAL\r\n", "DATA 30\r\n"],
      ["REJECTED EXTERNAL", "DATA", `OK ${busId}`],
    ],
  ])("proves who it is %s", async (_name, lines, answers) => {
    const { socketPath } = await openBus();
    const client = await DbusClient.open(socketPath);
    for (const [index, line] of lines.entries()) {
      client.write(line);
      expect(await client.line()).toBe(answers[index]);
    }
    client.write("NEGOTIATE_UNIX_FD\r\n");
    expect(await client.line()).toBe("ERROR");
    client.begin();
    const { body } = await client.call({ ...bus, member: "Hello" });
    expect(body).toEqual([":1.1"]);
    expect(await client.signal("NameAcquired")).toMatchObject({ body: [":1.1"] });
  });

  test("gets a name of its own, whichever its byte order is", async () => {
    const { socketPath } = await openBus();
    expect((await DbusClient.join(socketPath, "little")).name).toBe(":1.1");
    expect((await DbusClient.join(socketPath, "big")).name).toBe(":1.2");
  });

  test.each([
    ["messages before it has proved who it is", ["BEGIN\r\n"]],
    ["something that is no message", ["\0AUTH EXTERNAL 30\r\nBEGIN\r\n", "GET / HTTP/1.1\r\n\r\n"]],
    ["a line without end", ["\0", "A".repeat(20_000)]],
  ])("that sends %s is dropped, and the bus goes on", async (_name, texts) => {
    const { socketPath } = await openBus();
    const client = await DbusClient.open(socketPath);
    for (const text of texts) client.write(text);
    await client.closed;
    expect((await DbusClient.join(socketPath)).name).toBe(":1.2");
  });

  test("finds the notification service, and nothing else", async () => {
    const { socketPath } = await openBus();
    const client = await DbusClient.join(socketPath);
    const ask = async (member: string, name: string) => {
      const signature = member === "StartServiceByName" ? "su" : "s";
      const body = signature === "su" ? [name, 0] : [name];
      const answer = await client.call({ ...bus, member, signature, body });
      return answer.errorName?.replace("org.freedesktop.DBus.Error.", "") ?? answer.body[0];
    };
    expect(await ask("NameHasOwner", "org.freedesktop.Notifications")).toBe(true);
    expect(await ask("GetNameOwner", "org.freedesktop.Notifications")).toBe(":1.0");
    expect(await ask("StartServiceByName", "org.freedesktop.Notifications")).toBe(2);
    expect(await ask("NameHasOwner", "org.freedesktop.secrets")).toBe(false);
    expect(await ask("GetNameOwner", "org.freedesktop.secrets")).toBe("NameHasNoOwner");
    expect(await ask("StartServiceByName", "org.freedesktop.secrets")).toBe("ServiceUnknown");
    expect(await ask("GetConnectionUnixUser", ":1.0")).toBe("UnknownMethod");
    expect(await ask("AddMatch", "type='signal'")).toBeUndefined();
    expect(await client.call({ destination: "org.freedesktop.secrets", member: "Open" })).toMatchObject({
      kind: "error",
      errorName: "org.freedesktop.DBus.Error.ServiceUnknown",
    });
  });

  test("may take and give back a name", async () => {
    const { socketPath } = await openBus();
    const client = await DbusClient.join(socketPath);
    const call = (member: string, signature: string, body: readonly DbusValue[]) =>
      client.call({ ...bus, member, signature, body });
    const name = "org.mpris.MediaPlayer2.chromium";
    expect((await call("RequestName", "su", [name, 0])).body).toEqual([1]);
    expect((await call("GetNameOwner", "s", [name])).body).toEqual([client.name]);
    expect((await call("ReleaseName", "s", [name])).body).toEqual([1]);
    expect((await call("ReleaseName", "s", [name])).body).toEqual([2]);
  });
});

describe("a notification", () => {
  test("is shown with all that a page gave it, the browser's own button left out", async () => {
    const { socketPath, shown } = await openBus();
    const client = await DbusClient.join(socketPath);
    const { body } = await client.call(
      notify({ actions: ["default", "", "0", "Reply", "settings", "Settings"] }),
    );
    expect(body).toEqual([1]);
    expect(shown).toMatchObject([
      {
        id: 1,
        title: "New reply",
        body: "Ada answered",
        origin: "127.0.0.1:8040",
        actions: [{ key: "0", label: "Reply" }],
        isReplacement: false,
      },
    ]);
  });

  test("that is clicked says so to the client that showed it, by way of the service's own name", async () => {
    const { socketPath, shown } = await openBus();
    const client = await DbusClient.join(socketPath);
    const other = await DbusClient.join(socketPath);
    await client.call(notify({}));
    shown[0]?.click();
    expect(await client.signal("ActivationToken")).toMatchObject({ body: [1, "webpush-1"] });
    expect(await client.signal("ActionInvoked")).toMatchObject({
      path: "/org/freedesktop/Notifications",
      interface: "org.freedesktop.Notifications",
      sender: ":1.0",
      body: [1, "default"],
    });
    shown[0]?.click("0");
    expect(await client.signal("ActionInvoked")).toMatchObject({ body: [1, "0"] });

    // The other client's first signal of this name is about its own notification.
    await other.call(notify({ title: "Other" }));
    shown[1]?.click();
    expect(await other.signal("ActionInvoked")).toMatchObject({ body: [2, "default"] });
  });

  test("ends once: dismissed by a person or withdrawn by its client", async () => {
    const { socketPath, shown } = await openBus();
    const client = await DbusClient.join(socketPath);
    await client.call(notify({}));
    shown[0]?.dismiss();
    expect(await client.signal("NotificationClosed")).toMatchObject({ body: [1, 2] });
    expect(await shown[0]?.ended).toBe("dismissed");

    await client.call(notify({}));
    await client.call({ ...notificationService, member: "CloseNotification", signature: "u", body: [2] });
    expect(await client.signal("NotificationClosed")).toMatchObject({ body: [2, 3] });
    expect(await shown[1]?.ended).toBe("withdrawn");

    shown[1]?.dismiss();
    shown[1]?.click();
    await client.call(notify({}));
    shown[2]?.dismiss();
    expect(await client.signal("NotificationClosed")).toMatchObject({ body: [3, 2] });
  });

  test("takes the place of the one it replaces, and its number", async () => {
    const { socketPath, shown } = await openBus();
    const client = await DbusClient.join(socketPath);
    await client.call(notify({ title: "First" }));
    expect((await client.call(notify({ title: "Second", replaces: 1 }))).body).toEqual([1]);
    expect(await shown[0]?.ended).toBe("replaced");
    expect(shown[1]).toMatchObject({ id: 1, title: "Second", isReplacement: true });
    // One that is gone cannot be replaced.
    expect((await client.call(notify({ title: "Third", replaces: 9 }))).body).toEqual([2]);
  });

  test("of other types of values is refused", async () => {
    const { socketPath, shown } = await openBus();
    const client = await DbusClient.join(socketPath);
    const answer = await client.call({ ...notify({}), signature: "s", body: ["New reply"] });
    expect(answer).toMatchObject({ kind: "error", errorName: "org.freedesktop.DBus.Error.InvalidArgs" });
    expect(shown).toEqual([]);
  });
});

test("the service says what it can show", async () => {
  const { socketPath } = await openBus();
  const client = await DbusClient.join(socketPath);
  const ask = async (member: string) => (await client.call({ ...notificationService, member })).body;
  expect(await ask("GetCapabilities")).toEqual([["actions", "body", "persistence", "x-kde-origin-name"]]);
  expect(await ask("GetServerInformation")).toEqual(["webpush", "webpush", "1", "1.2"]);
  expect(await ask("Introspect")).toEqual(["org.freedesktop.Notifications.Introspect is not known here"]);
});

test("the bus's address escapes what an address cannot hold", async () => {
  const folder = tempFolder();
  const { address } = await openBus(join(folder, "my bus,1"));
  expect(address).toBe(`unix:path=${folder}/my%20bus%2c1`);
});
