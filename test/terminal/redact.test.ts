import { expect, test } from "vitest";
import { redact } from "../../src/terminal/redact.ts";
import { samplePair, sampleJson } from "../support/samples.ts";

const pem = [
  "-----BEGIN PRIVATE KEY-----",
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgxJ/rrr+bYJnTvJXG",
  "KzcyyKbuMO6ZbhS6oP7i1D3XZ/+hRANCAAQ=",
  "-----END PRIVATE KEY-----",
].join("\n");

test.each([
  [
    "a VAPID token",
    "bad header vapid t=eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln, k=x",
    "bad header vapid t=[secret], k=x",
  ],
  [
    "the tail of an endpoint",
    "POST https://push.example.net/send/dGhpcyBpcyBhIHNlY3JldA failed",
    "POST https://push.example.net/[secret] failed",
  ],
  [
    "an endpoint in quotation marks",
    'at "https://fcm.googleapis.com/fcm/send/e1:APA91bHqX4kZ3"',
    'at "https://fcm.googleapis.com/[secret]"',
  ],
  ["a proxy's password", "connect http://user:hunter2@proxy:8080", "connect http://[secret]@proxy:8080"],
  ["a database's password", "postgres://app:s3cr3t@db/push", "postgres://[secret]@db/push"],
  ["a PEM key", `before\n${pem}\nafter`, "before\n[secret]\nafter"],
  ["a PEM key cut short", "x -----BEGIN EC PRIVATE KEY-----\nMHcCAQEE/abc", "x [secret]"],
])("%s is left out", (_name, text, shown) => {
  expect(redact(text)).toBe(shown);
});

test("keys and auth secrets are left out wherever they stand", () => {
  const pair = samplePair("redact");
  const { keys } = sampleJson("redact");
  const text = `Error: ${pair.privateKey.reveal()} {"auth":"${keys.auth}","p256dh":"${keys.p256dh}"} key=${pair.publicKey}`;
  expect(redact(text)).toBe('Error: [secret] {"auth":"[secret]","p256dh":"[secret]"} key=[secret]');
});

test("what a developer needs of a stack stays", () => {
  const stack = [
    "TypeError: Cannot read properties of undefined (reading 'endpoint')",
    "    at deliver (file:///usr/lib/node_modules/webpush/dist/commands/send/deliver.js:31:18)",
    "    at async createSubscriptionStoreOfProject (node:internal/modules/esm/loader:2:1) ERR_UNSUPPORTED_DIR_IMPORT",
    "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
    "    at async main (/home/someone/project-2026-with-a-long-name/node_modules/.bin/webpush:3:1)",
  ].join("\n");
  expect(redact(stack)).toBe(stack);
});
