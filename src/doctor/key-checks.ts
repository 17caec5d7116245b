/** Checks of the VAPID keys and the contact in their tokens. */
import { parseSubject } from "../protocol/subject.ts";
import { createKeyRing, type KeyRing } from "../settings/vapid.ts";
import { keyUses, unusedKey } from "../store/key-use.ts";
import type { Check, Finding } from "./check.ts";
import { valueOf, type ProjectFacts } from "./facts.ts";

const unreadable: Finding = { level: "skipped", what: "the keys cannot be read, see above" };

export const keyChecks: readonly Check<ProjectFacts>[] = [
  {
    id: "keys.environment",
    title: "keys in the environment",
    why: "VAPID_PRIVATE_KEY goes before the project's keys; with only half of a pair, or two that do not match, nothing can be sent",
    needs: "nothing",
    examine: examineEnvironment,
  },
  {
    id: "keys.pair",
    title: "key pair",
    why: "most push services take no message without one, and browsers subscribe for its public key",
    needs: "nothing",
    examine: (facts) => {
      const ring = ringOf(facts);
      if (ring === undefined) return [unreadable];
      if (ring.current === undefined) {
        return [{ level: "problem", what: "there is none", fix: "webpush keys", about: "credentials" }];
      }
      return [{ level: "good", what: `${short(ring.current.publicKey)}, of the ${ring.source}` }];
    },
  },
  {
    id: "keys.rotation",
    title: "older pairs",
    why: "a subscription keeps the key it was made with; each older pair is needed until its subscribers came back",
    needs: "nothing",
    examine: examineRotation,
  },
  {
    id: "keys.subject",
    title: "contact (subject)",
    why: "Apple refuses tokens without a real contact, and other push services write there before they block you",
    needs: "nothing",
    examine: (facts) => {
      const ring = ringOf(facts);
      if (ring === undefined) return [unreadable];
      const { subject } = ring;
      if (subject === undefined) {
        return [
          {
            level: "problem",
            what: "there is none: Apple will refuse every message",
            fix: "webpush keys --subject mailto:you@your-domain",
            about: "credentials",
          },
        ];
      }
      const { notes } = parseSubject(subject);
      if (notes.length === 0) return [{ level: "good", what: subject }];
      return notes.map((what) => ({
        level: "warning",
        what,
        fix: "use an address or page of yours: webpush keys --subject mailto:you@your-domain",
      }));
    },
  },
];

function examineEnvironment({ environmentKeys, config }: ProjectFacts): readonly Finding[] {
  if ("error" in environmentKeys) {
    const { message, hints } = environmentKeys.error;
    const fix = hints[0] ?? "correct the variable, or unset it";
    return [{ level: "problem", what: message, fix, about: "credentials" }];
  }
  const { pair } = environmentKeys.value;
  if (pair === undefined) return [{ level: "good", what: "none, the project's are used" }];
  const kept = valueOf(config);
  if (kept?.current === undefined || kept.current === pair.publicKey)
    return [{ level: "good", what: `${short(pair.publicKey)} is used` }];
  if (kept.pairs.some((one) => one.pair.publicKey === pair.publicKey)) {
    return [
      {
        level: "note",
        what: `they are an older pair of this project (${short(pair.publicKey)}), and sign instead of ${short(kept.current)}`,
        fix: "unset VAPID_PRIVATE_KEY where the project's keys should sign",
      },
    ];
  }
  return [
    {
      level: "note",
      what: `they are not the project's: ${short(pair.publicKey)} signs, ${short(kept.current)} is stored`,
      fix: "unset VAPID_PRIVATE_KEY where the project's keys should sign, and keep one key per site",
    },
  ];
}

function examineRotation(facts: ProjectFacts): readonly Finding[] {
  const config = valueOf(facts.config);
  const survey = valueOf(facts.subscriptions);
  if (config === undefined) return [unreadable];
  const older = config.pairs.filter(({ pair }) => pair.publicKey !== config.current);
  if (older.length === 0) return [{ level: "good", what: "none" }];
  if (survey === undefined) return [{ level: "skipped", what: "the subscriptions cannot be read" }];
  const uses = keyUses(survey.keyGroups);
  const silent = uses.get(undefined)?.living ?? 0;
  return older.map(({ pair: { publicKey } }) => {
    const { living } = uses.get(publicKey) ?? unusedKey;
    if (living > 0) {
      return {
        level: "note",
        what: `${living} living subscription${living === 1 ? "" : "s"}: it still signs for ${living === 1 ? "it" : "them"}`,
        where: short(publicKey),
      };
    }
    if (silent > 0) {
      return {
        level: "note",
        what: `no living subscription says that it needs it, and ${silent} do not say their key`,
        fix: "keep it until the pages of those have been visited: webpush keys list",
        where: short(publicKey),
      };
    }
    return {
      level: "note",
      what: "no living subscription that says its key hangs on it",
      fix: "look at webpush keys list, then webpush keys remove",
      where: short(publicKey),
    };
  });
}

/** The keys of a run; undefined where they cannot be read. */
export function ringOf({
  config,
  environmentKeys,
}: Pick<ProjectFacts, "config" | "environmentKeys">): KeyRing | undefined {
  const [kept, given] = [valueOf(config), valueOf(environmentKeys)];
  return kept === undefined || given === undefined ? undefined : createKeyRing(given, kept);
}

function short(publicKey: string): string {
  return `${publicKey.slice(0, 12)}…`;
}
