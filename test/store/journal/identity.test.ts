/** What makes a broadcast another one, and how that is said. */
import { execFileSync } from "node:child_process";
import { writeFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fingerprintOf } from "../../../src/base/fingerprint-set.ts";
import { identifyFile, type CampaignIdentity } from "../../../src/store/journal/identity.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { identity, linesOf, open, recipient, someTime } from "./broadcast.ts";

const file = {
  kind: "file",
  name: "users.csv",
  bytes: 1000,
  modifiedAt: someTime,
  sha256: "content",
} as const;

const differences: readonly (readonly [string, Partial<CampaignIdentity>, string])[] = [
  ["another payload", { payload: "other" }, "the payload changed"],
  ["another option", { options: { ...identity.options, ttl: "60" } }, "ttl was 600 and is 60"],
  ["an option more", { options: { ...identity.options, topic: "news" } }, "topic was not given and is news"],
  ["an option less", { options: { ttl: "600" } }, "encoding was aes128gcm and is not given"],
  ["another key", { keys: ["first-key", "third-key"] }, "the signing keys changed"],
  ["a key less", { keys: ["first-key"] }, "the signing keys changed"],
  [
    "another content of the input",
    { inputs: [{ ...file, bytes: 1042, sha256: "other" }] },
    "the content of users.csv is not what users.csv held (1000 bytes then, 1042 now)",
  ],
  [
    "a content of the same length",
    { inputs: [{ ...file, sha256: "other" }] },
    "the content of users.csv is not what users.csv held",
  ],
  [
    "a stream instead of a file",
    { inputs: [{ kind: "stream" }] },
    "the recipients came from users.csv and come from a stream",
  ],
  [
    "the store instead of a file",
    { inputs: [{ kind: "store", selection: "tag:news" }] },
    "the recipients came from users.csv and come from the store (tag:news)",
  ],
  ["an input more", { inputs: [file, { kind: "stream" }] }, "the recipients come from other places"],
  [
    "several things",
    { payload: "other", keys: [], inputs: [{ kind: "store", selection: "" }] },
    "the payload changed; the signing keys changed; the recipients came from users.csv and come from the whole store",
  ],
];

test.each(differences)("%s is another broadcast", async (_name, changes, what) => {
  const path = join(tempFolder(), "broadcast.journal");
  await (await open(path))[Symbol.asyncDispose]();
  const before = linesOf(path);
  await expect(open(path, changes)).rejects.toMatchObject({
    code: "journal-mismatch",
    message: `${path} is of another broadcast: ${what}`,
  });
  expect(linesOf(path)).toEqual(before);
});

test.each<readonly [string, Partial<CampaignIdentity>]>([
  ["the same keys in another order", { keys: ["second-key", "first-key"] }],
  ["a file that was renamed and touched", { inputs: [{ ...file, name: "all.csv", modifiedAt: 0 }] }],
])("%s are no difference", async (_name, changes) => {
  const path = join(tempFolder(), "broadcast.journal");
  await (await open(path))[Symbol.asyncDispose]();
  await using journal = await open(path, changes);
  expect(journal.resumed).toBeDefined();
});

test("another selection of stored recipients is another broadcast", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  const selecting = (selection: string) => ({ inputs: [{ kind: "store", selection }] as const });
  await (await open(path, selecting("tag:news")))[Symbol.asyncDispose]();
  await expect(open(path, selecting("tag:staff"))).rejects.toMatchObject({ code: "journal-mismatch" });
  await (await open(path, selecting("tag:news")))[Symbol.asyncDispose]();
});

test("resuming anyway goes on with what changed, which is what counts from then on", async () => {
  const path = join(tempFolder(), "broadcast.journal");
  {
    await using journal = await open(path);
    journal.record(recipient("alice"), "accepted");
  }
  {
    await using journal = await open(
      path,
      { payload: "other" },
      { resumeAnyway: true, campaignId: "another" },
    );
    expect(journal).toMatchObject({
      campaignId: "campaign-1",
      createdAt: someTime,
      resumed: { accepted: 1 },
    });
    expect(journal.stateOf(recipient("alice"))).toBe("accepted");
  }
  {
    await using journal = await open(path, { payload: "other" });
    expect(journal).toMatchObject({ campaignId: "campaign-1", resumed: { accepted: 1 } });
  }
  await expect(open(path)).rejects.toMatchObject({ code: "journal-mismatch" });
});

test("a file is told by its content", async () => {
  const path = join(tempFolder(), "users.csv");
  writeFileSync(path, "endpoint\n".repeat(100_000));
  utimesSync(path, someTime / 1000, someTime / 1000);
  expect(await identifyFile(path)).toEqual({
    kind: "file",
    name: path,
    bytes: 900_000,
    modifiedAt: someTime,
    sha256: Buffer.from(fingerprintOf("endpoint\n".repeat(100_000))).toString("base64url"),
  });
});

test("what is no file is a stream, and is not read", async () => {
  const pipe = join(tempFolder(), "pipe");
  execFileSync("mkfifo", [pipe]);
  expect(await identifyFile(pipe)).toEqual({ kind: "stream" });
});
