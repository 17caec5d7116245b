/**
 * The emulator and a stock Chromium: nothing is stubbed, and no network is needed but an interface that is up.
 */
import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import { isInstalled } from "../browsers/emulated.ts";
import { createProfile, emulate, openChromium, openSite, push, type Emulation } from "./chromium-visit.ts";
import { until } from "./wire.ts";

const isOnline = Object.values(networkInterfaces()).some((all) => all?.some(({ internal }) => !internal));

function typesOf({ events }: Emulation): string[] {
  return events.map(({ type }) => type);
}

function withoutErrors({ events }: Emulation): void {
  expect(events.filter((event) => event.type === "refused")).toEqual([]);
}

// With nothing but loopback Chromium subscribes and never asks for its messages.
describe.skipIf(!isInstalled("chromium") || !isOnline)("Chromium", { timeout: 120_000 }, () => {
  test("subscribes at the emulator, and its worker gets every kind of message, decrypted and in order", async () => {
    const emulation = await emulate();
    const { emulator, events } = emulation;
    await using site = await openSite();
    const browser = await openChromium(emulator, site, createProfile(site));

    const subscription = await browser.subscribe();
    expect(subscription.endpoint).toMatch(/^https:\/\/[\w.]+\/fcm\/send\/[\w-]{22}$/);
    expect(await push(emulator, subscription, "Hello")).toBe(201);
    expect(await push(emulator, subscription, "Grüße", { contentEncoding: "aesgcm" })).toBe(201);
    expect(await push(emulator, subscription, undefined)).toBe(201);
    const long = "x".repeat(3993);
    expect(await push(emulator, subscription, long)).toBe(201);
    expect(await push(emulator, subscription, "now", { ttlSeconds: 0 })).toBe(201);
    expect(await browser.received(5)).toEqual(["Hello", "Grüße", null, long, "now"]);
    await until(() => events.filter(({ type }) => type === "acknowledged").length === 5);
    expect(events.find(({ type }) => type === "user-agent-connected")).toMatchObject({
      product: expect.stringMatching(/^chrome-\d+\./) as string,
    });
    withoutErrors(emulation);
  });

  test("that was closed gets what waited when it is opened again; unsubscribed, it is gone", async () => {
    const emulation = await emulate();
    const { emulator, events } = emulation;
    await using site = await openSite();
    const profile = createProfile(site);
    const first = await openChromium(emulator, site, profile);
    const subscription = await first.subscribe();
    await push(emulator, subscription, "while open");
    await first.received(1);
    await until(() => typesOf(emulation).includes("acknowledged"));
    await first.close();
    await until(() => events.at(-1)?.type === "user-agent-disconnected");

    expect(await push(emulator, subscription, "now or never", { ttlSeconds: 0 })).toBe(201);
    expect(await push(emulator, subscription, "while closed")).toBe(201);
    const second = await openChromium(emulator, site, profile);
    expect(await second.received(1)).toEqual(["while closed"]);
    expect(await second.subscribe()).toEqual(subscription);
    withoutErrors(emulation);

    expect(await second.unsubscribe()).toBe(true);
    await until(() => typesOf(emulation).includes("unsubscribed"));
    expect(await push(emulator, subscription, "too late")).toBe(410);
  });

  test("finds its subscription and its messages at an emulator that was restarted", async () => {
    const before = await emulate();
    await using site = await openSite();
    const profile = createProfile(site);
    const first = await openChromium(before.emulator, site, profile);
    const subscription = await first.subscribe();
    await until(() => typesOf(before).includes("connected"));
    await first.close();
    await until(() => before.emulator.service.subscriptions()[0]?.isConnected === false);
    await push(before.emulator, subscription, "before");
    const state = JSON.parse(JSON.stringify(before.emulator.service.snapshot())) as never;
    const { port, tls } = before.emulator;
    await before.emulator.close();

    const after = await emulate({ port, tls, state });
    await push(after.emulator, subscription, "after");
    const second = await openChromium(after.emulator, site, profile);
    expect(await second.received(2)).toEqual(["before", "after"]);
    withoutErrors(after);
  });
});
