/**
 * The environment, read once and strictly: what is wrong is said in one line before anything is opened.
 */
import { ECDH, createECDH } from "node:crypto";
import { isIP } from "node:net";
import { resolve } from "node:path";

/** Something in the environment that has to be changed by a person. */
export class ConfigError extends Error {}

/** A browser's public key and ours are 65 bytes, an uncompressed point on P-256. */
const curve = "prime256v1";

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {{ home: string, settings: { api: string, page: string } }} place  home: this folder, absolute
 */
export function readConfig(env, { home, settings }) {
  const number = (name, usual, least, most) => readNumber(env, { name, usual, least, most });
  const keys = readKeys(env);
  const publicOrigin = readOrigin(env);
  return {
    host: env.HOST || "127.0.0.1",
    port: number("PORT", 3000, 0, 65_535),
    /** The proxies in front of this server, whose X-Forwarded-For is believed. */
    trustProxy: readProxies(env),
    /** The page's origin as browsers see it, where a proxy changes the Host header. */
    publicOrigin,
    api: settings.api,
    page: resolve(home, env.PAGE_DIR || settings.page),
    database: resolve(home, env.DATABASE || "data/webpush.db"),
    maxSubscriptions: number("MAX_SUBSCRIPTIONS", 100_000, 1, 10_000_000),
    pruneAfterDays: number("PRUNE_AFTER_DAYS", 7, 0, 365),
    concurrency: number("CONCURRENCY", 50, 1, 1000),
    sendToken: readSendToken(env),
    subject: readSubject(env),
    keys,
    proxy: env.HTTPS_PROXY || env.https_proxy || undefined,
    endpoints: {
      allowHosts: list(env.ALLOW_HOSTS).map((host) => host.toLowerCase()),
      allowLoopback: readSwitch(env, "PUSH_ALLOW_LOOPBACK"),
    },
  };
}

/** The current pair, and old ones that subscriptions may still be bound to, by their public keys. */
function readKeys(env) {
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey } = env;
  if (!publicKey || !privateKey) {
    throw new ConfigError(
      "VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY are not set; " +
        "in the folder above: webpush keys export --format env --output server/.env",
    );
  }
  const current = pairOf(privateKey, "VAPID_PRIVATE_KEY");
  if (current.publicKey !== publicKey) {
    throw new ConfigError("VAPID_PUBLIC_KEY does not belong to VAPID_PRIVATE_KEY; export both again");
  }
  const old = list(env.VAPID_OLD_KEYS).map((key) => pairOf(key, "VAPID_OLD_KEYS"));
  return { current, byPublicKey: new Map([...old, current].map((pair) => [pair.publicKey, pair])) };
}

function pairOf(privateKey, name) {
  const wrong = new ConfigError(`${name} holds no private key: 43 characters of base64url`);
  if (!/^[\w-]{43}$/.test(privateKey)) throw wrong;
  const ecdh = createECDH(curve);
  try {
    ecdh.setPrivateKey(privateKey, "base64url");
  } catch {
    throw wrong;
  }
  return { publicKey: ecdh.getPublicKey("base64url"), privateKey };
}

/** Push services write to this contact before they block a sender; Apple's refuses messages without a real one. */
function readSubject({ VAPID_SUBJECT: subject }) {
  if (/^mailto:[^\s@<>]+@[^\s@<>]+$/.test(subject ?? "")) return subject;
  if (/^https:/.test(subject ?? "") && URL.canParse(subject)) return subject;
  throw new ConfigError(
    subject
      ? `VAPID_SUBJECT is ${JSON.stringify(subject)}; write it as mailto:you@your-domain, or an https address`
      : "VAPID_SUBJECT is not set; set it to mailto:you@your-domain",
  );
}

function readSendToken({ SEND_TOKEN: token }) {
  if (!token) return undefined;
  if (token.length >= 32 && !/\s/.test(token)) return token;
  throw new ConfigError("SEND_TOKEN has to be 32 characters or longer, without spaces: openssl rand -hex 32");
}

function readOrigin({ PUBLIC_ORIGIN: origin }) {
  if (!origin) return undefined;
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw new ConfigError(`PUBLIC_ORIGIN is ${JSON.stringify(origin)}; write it as https://www.example.com`);
}

/** Addresses and networks, such as 127.0.0.1 and 10.0.0.0/8. */
function readProxies({ TRUST_PROXY: text }) {
  const wrong = list(text).find((entry) => {
    const [address, prefix, ...rest] = entry.split("/");
    const bits = { 4: 32, 6: 128 }[isIP(address)];
    const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
    return bits === undefined || !isPrefix || rest.length > 0;
  });
  if (wrong === undefined) return list(text);
  throw new ConfigError(
    `TRUST_PROXY has ${JSON.stringify(wrong)}; write addresses, as 127.0.0.1 or 10.0.0.0/8`,
  );
}

function readNumber(env, { name, usual, least, most }) {
  const text = env[name];
  if (!text) return usual;
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw new ConfigError(`${name} is ${JSON.stringify(text)}, not a whole number from ${least} to ${most}`);
}

function readSwitch(env, name) {
  const text = env[name] ?? "";
  if (["", "0", "false"].includes(text)) return false;
  if (["1", "true"].includes(text)) return true;
  throw new ConfigError(`${name} is ${JSON.stringify(text)}; write 1 or 0`);
}

function list(text = "") {
  return text.split(",").flatMap((entry) => entry.trim() || []);
}

/** Whether `key` is a public key on the curve, in base64url. */
export function isPublicKey(key) {
  if (typeof key !== "string" || !/^[\w-]{87}$/.test(key)) return false;
  try {
    return ECDH.convertKey(key, curve, "base64url", "base64url", "uncompressed") === key;
  } catch {
    return false;
  }
}
