/** Checks of the environment: proxies, trust, CI. Values that may hold a password are never shown. */
import { UserError } from "../base/errors.ts";
import { pushServices } from "../protocol/services.ts";
import { createProxyRule } from "../sender/proxy.ts";
import { variable } from "../settings/environment.ts";
import type { Check, Finding } from "./check.ts";
import { valueOf, type ProjectFacts } from "./facts.ts";
import { usualOrigins } from "./usual-origins.ts";

export const environmentChecks: readonly Check<ProjectFacts>[] = [
  {
    id: "environment.proxy",
    title: "proxy",
    why: "with a proxy that does not read nothing can be sent",
    needs: "nothing",
    examine: (facts) => {
      try {
        const proxy = createProxyRule({ url: facts.proxy, environment: facts.env })("https://push.invalid/");
        return [{ level: "good", what: proxy === undefined ? "none" : proxy.host }];
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        const [hint = "correct it"] = error.hints;
        const where = facts.proxy === undefined ? proxyVariable(facts) : "proxy";
        return [{ level: "problem", what: error.message, fix: hint, about: "network", where }];
      }
    },
  },
  {
    id: "environment.proxy-twins",
    title: "proxy variables in both cases",
    why: "here, as with curl, the lower case wins; other programs look at the upper case, and go another way",
    needs: "nothing",
    examine: ({ env }) => {
      const found = ["https_proxy", "all_proxy", "no_proxy"].flatMap((name): readonly Finding[] => {
        const [lower, upper] = [env[name] ?? "", env[name.toUpperCase()] ?? ""];
        if (lower === "" || upper === "" || lower === upper) return [];
        const what = `${name} and ${name.toUpperCase()} are both set, and differ`;
        return [{ level: "warning", what, fix: "set both to the same, or unset one", where: name }];
      });
      return found.length === 0 ? [{ level: "good", what: "none that differ" }] : found;
    },
  },
  {
    id: "environment.no-proxy",
    title: "hosts around the proxy",
    why: "where only the proxy leads out, a push service that NO_PROXY names cannot be reached",
    needs: "nothing",
    examine: examineNoProxy,
  },
  {
    id: "environment.tls",
    title: "checking certificates",
    why: "without it whoever sits in between reads the private tokens of your server; webpush itself always checks",
    needs: "nothing",
    examine: ({ env }) => {
      if (env["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0") return [{ level: "good", what: "not switched off" }];
      return [
        {
          level: "warning",
          what: "NODE_TLS_REJECT_UNAUTHORIZED=0 switches it off for every other Node program started here",
          fix: "unset it, and name the authority instead: --ca FILE, or NODE_EXTRA_CA_CERTS",
        },
      ];
    },
  },
  {
    id: "environment.authorities",
    title: "further authorities",
    why: "Node starts without them and says so once; behind an intercepting proxy every connection fails then",
    needs: "nothing",
    examine: ({ isExtraCaReadable, env }) => {
      if (isExtraCaReadable !== false)
        return [{ level: "good", what: isExtraCaReadable === undefined ? "none" : "they can be read" }];
      const where = env["NODE_EXTRA_CA_CERTS"] ?? "";
      return [
        {
          level: "warning",
          what: "the file that NODE_EXTRA_CA_CERTS names cannot be read",
          fix: "correct the path, or unset NODE_EXTRA_CA_CERTS",
          where,
        },
      ];
    },
  },
  {
    id: "environment.keylog",
    title: "encryption secrets on the screen",
    why: "http_ece, which web-push encrypts with, prints the keys of every message while ECE_KEYLOG is 1",
    needs: "nothing",
    examine: ({ env }) => {
      if (env["ECE_KEYLOG"] !== "1") return [{ level: "good", what: "not printed" }];
      const fix = "unset ECE_KEYLOG, in production above all";
      return [{ level: "warning", what: "ECE_KEYLOG=1 has them printed to stderr", fix }];
    },
  },
  {
    id: "environment.ci",
    title: "keys in CI",
    why: "the state folder is ignored by git, so a fresh checkout has no keys; a CI system hands them over as secrets",
    needs: "nothing",
    examine: examineCi,
  },
];

/** The variable a proxy is read from, in the order of sender/proxy.ts. */
function proxyVariable({ env }: ProjectFacts): string {
  const names = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
  return names.find((name) => (env[name] ?? "") !== "") ?? "proxy";
}

function examineNoProxy(facts: ProjectFacts): readonly Finding[] {
  const rule = ruleOf(facts);
  if (rule === undefined) return [{ level: "skipped", what: "the proxy does not read, see above" }];
  // Asked as if NO_PROXY were empty: whether there is a proxy at all.
  const hasProxy = ruleOf({ ...facts, env: { ...facts.env, no_proxy: "", NO_PROXY: "" } })?.(
    "https://push.invalid/",
  );
  if (hasProxy === undefined) return [{ level: "good", what: "there is no proxy" }];
  const exempt = usualOrigins.filter(({ origin }) => rule(`${origin}/`) === undefined);
  if (exempt.length === 0) return [{ level: "good", what: "every push service is reached through it" }];
  return exempt.map(({ origin, service }) => ({
    level: "note",
    what: `NO_PROXY has ${nameOf(service)} reached directly`,
    fix: "take its host out of NO_PROXY if only the proxy leads out",
    where: origin,
  }));
}

function ruleOf({ proxy, env }: Pick<ProjectFacts, "proxy" | "env">) {
  try {
    return createProxyRule({ url: proxy, environment: env });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function nameOf(service: string): string {
  return pushServices.find(({ id }) => id === service)?.name ?? service;
}

function examineCi({ env, config }: ProjectFacts): readonly Finding[] {
  if (variable(env, "CI") === undefined) return [{ level: "good", what: "this is no CI" }];
  const hasKept = valueOf(config)?.current !== undefined;
  if (variable(env, "VAPID_PRIVATE_KEY") !== undefined)
    return [{ level: "good", what: "handed over as VAPID_PRIVATE_KEY" }];
  const fix = "store the pair as secrets of the CI: webpush keys export --format env";
  return hasKept
    ? [{ level: "warning", what: "the private key lies in the folder of the build", fix }]
    : [{ level: "note", what: "VAPID_PRIVATE_KEY is not set", fix }];
}
