/**
 * The contact in a VAPID token, its `sub` (RFC 8292 §2.1): a mail address or a page.
 *
 * FCM and Mozilla take anything, Apple answers an unreal one with an opaque 403
 * `BadJwtToken`, the most reported failure of all web push. So a subject is checked
 * here, when it is stored and not when it is sent (PROTOCOL.md §3.6, §3.7). What
 * comes out is printable ASCII and a URL.
 */
import type { Brand } from "../base/brand.ts";
import { UserError } from "../base/errors.ts";

/** A contact that every push service accepts: `mailto:` and an address, or an `https:` URL. */
export type Subject = Brand<string, "Subject">;

/** A subject and what a person should know about it. */
export interface ParsedSubject {
  readonly subject: Subject;
  /** What was changed, or is odd; lower case, no full stop. */
  readonly notes: readonly string[];
}

/** What is wrong with a subject and what to do. */
type Defect = readonly [what: string, hint: string];

/** A subject whose form is right; its host is still to be looked at. */
interface Reading {
  readonly text: string;
  readonly host: string;
  readonly notes: readonly string[];
}

const maxLength = 200;
const maxLocalPartLength = 64;

/** RFC 6761, RFC 6762, RFC 9476, RFC 7686, ICANN's .internal, and `localdomain` and `tld`, which nobody can register. */
const reservedDomains = [
  "localhost",
  "local",
  "invalid",
  "test",
  "example",
  "internal",
  "alt",
  "onion",
  "home.arpa",
  "localdomain",
  "tld",
];

/** RFC 2606 §3: they exist, and nobody reads mail there. */
const documentationDomains = ["example.com", "example.net", "example.org"];

/** Values that come straight out of other libraries' examples. */
const placeholderDomain = /^(?:.+\.)?your-?domain\.(?:com|net|org)$/;
const placeholderLocalPart = /^your[-_.]?e?-?mail(?:[-_.]?address)?$/i;

/** The example is a placeholder that is refused itself, should somebody paste it. */
const useReal = "use an address or page of yours, such as mailto:push@your-domain.com";

/**
 * Reads a VAPID subject; a bare mail address gets its `mailto:`, other spellings of a good one are normalised.
 *
 * @throws UserError `vapid-subject`
 */
export function parseSubject(text: string): ParsedSubject {
  const trimmed = text.trim();
  const reading = textDefect(trimmed) ?? readAny(trimmed);
  if (!("text" in reading)) throw refusal(trimmed, reading);
  const defect = hostDefect(reading.host) ?? lengthDefect(reading.text);
  if (defect !== undefined) throw refusal(trimmed, defect);
  return { subject: reading.text as Subject, notes: [...reading.notes, ...hostNotes(reading.host)] };
}

function refusal(text: string, [what, hint]: Defect): UserError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  const value = text === "" ? "" : ` ${JSON.stringify(shown)}`;
  return new UserError("vapid-subject", `VAPID subject${value} ${what}`, { hints: [hint] });
}

function textDefect(text: string): Defect | undefined {
  if (text === "") return ["is empty", useReal];
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text))
    return ["contains a control character or line break", "give one line of plain text"];
  const address = /<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+)\s*>/i.exec(text)?.[1];
  if (address !== undefined) return ["has angle brackets around the address", `write mailto:${address}`];
  if (/[<>]/.test(text)) return ["contains < or >, as templates do", useReal];
  if (/^["'`]|["'`]$/.test(text)) return ["is in quotation marks", "leave the quotation marks out"];
  if (/\s/.test(text))
    return ["contains a space", `write ${text.replace(/\s+/g, "")} if that is what you mean`];
  return undefined;
}

function lengthDefect(text: string): Defect | undefined {
  if (text.length <= maxLength) return undefined;
  return [`is ${text.length} characters long, the most is ${maxLength}`, "use a shorter address or page"];
}

function readAny(text: string): Reading | Defect {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*):(.*)$/i.exec(text) ?? [];
  switch (scheme.toLowerCase()) {
    case "mailto":
      return readMail(rest, scheme === "mailto" ? [] : [`wrote ${scheme}: in lower case`]);
    case "https":
      return readPage(`https:${rest}`, scheme === "https" ? [] : [`wrote ${scheme}: in lower case`]);
    case "http":
      return ["is plain http", "use an https: page or a mailto: address"];
    case "":
      break;
    default:
      // "example.com:8443" reads as a scheme too; the advice is the same.
      return ["is neither a mailto: nor an https: URL", useReal];
  }
  if (text.includes("@")) return readMail(text, ["added mailto: to the bare mail address"]);
  if (/^[^/]+\.[^/]+/.test(text)) return ["has no scheme", `write https://${text} or a mailto: address`];
  return ["is neither a mail address nor an https: URL", useReal];
}

function readMail(address: string, notes: readonly string[]): Reading | Defect {
  const at = address.lastIndexOf("@");
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  const defect = addressDefect(address) ?? localPartDefect(local);
  if (defect !== undefined) return defect;
  if (/^\[.*\]$/.test(domain)) return ["is at an IP address", "use a domain name"];
  if (domain === "") return ["has no domain after the @", useReal];
  const ascii = asciiHost(domain);
  if (ascii === undefined) return [`has a domain that cannot exist: ${JSON.stringify(domain)}`, useReal];
  if (ascii === domain.toLowerCase()) return { text: `mailto:${address}`, host: ascii, notes };
  return {
    text: `mailto:${local}@${ascii}`,
    host: ascii,
    notes: [...notes, `wrote the domain as ${ascii}, the form mail servers use`],
  };
}

/** What a mailto: URL may hold and a contact may not, and what people write instead of one. */
function addressDefect(address: string): Defect | undefined {
  if (address === "") return ["has no address after mailto:", useReal];
  if (/^mailto:/i.test(address)) return ["has mailto: twice", `write ${address}`];
  if (address.startsWith("//")) return ["has // after mailto:", `write mailto:${address.slice(2)}`];
  if (/[?#]/.test(address))
    return ["carries more than an address", `write mailto:${address.replace(/[?#].*/, "")}`];
  if (/[,;]/.test(address)) return ["names several addresses", "give a single one"];
  if (address.includes("%")) return ["is percent-encoded", "write the address without % signs"];
  return address.includes("@") ? undefined : ["is not a mail address, it has no @", useReal];
}

/** RFC 5322 §3.4.1 dot-atom, without the characters that a mailto: URL would have to encode (RFC 6068 §2). */
function localPartDefect(local: string): Defect | undefined {
  if (local === "") return ["has nothing before the @", useReal];
  if (local.includes("@")) return ["has more than one @", "give a single address"];
  if (local.startsWith('"'))
    return ["has a quoted name before the @", "use an address without quotation marks"];
  if (/[^!-~]/.test(local)) return ["has letters outside ASCII before the @", "use an ASCII address"];
  if (!/^[\w!$&'*+/=^`{|}~-]+(?:\.[\w!$&'*+/=^`{|}~-]+)*$/.test(local))
    return [`is not a mail address: ${JSON.stringify(local)} cannot stand before the @`, useReal];
  if (local.length > maxLocalPartLength)
    return [`has ${local.length} characters before the @, the most is ${maxLocalPartLength}`, useReal];
  return placeholderLocalPart.test(local) ? ["is a placeholder from an example", useReal] : undefined;
}

function readPage(text: string, notes: readonly string[]): Reading | Defect {
  const authority = /^https:\/\/([^/?#\\]*)/.exec(text)?.[1];
  if (authority === undefined) return ["is not an https: URL", "write https:// and the host"];
  if (authority === "") return ["has no host", useReal];
  if (text.includes("\\")) return ["contains a backslash", "write / instead"];
  if (authority.includes("@")) return ["has a user name in the URL", "remove the part up to the @"];
  if (!URL.canParse(text)) return ["is not a URL", useReal];
  const url = new URL(text);
  if (/^[!-~]*$/.test(text)) return { text, host: url.hostname, notes };
  return {
    text: url.href,
    host: url.hostname,
    notes: [...notes, `wrote the URL as ${url.href}, the form that travels`],
  };
}

/** The ASCII form of a domain (IDNA, by the WHATWG URL parser); `undefined` when it is none. */
function asciiHost(domain: string): string | undefined {
  // What ends a host in a URL, or is decoded in it, is no part of a domain.
  if (/[/\\?#@:%[\]]/.test(domain) || !URL.canParse(`https://${domain}/`)) return undefined;
  return new URL(`https://${domain}/`).hostname;
}

function hostDefect(host: string): Defect | undefined {
  if (host.startsWith("[") || /^\d+(?:\.\d+){3}$/.test(host))
    return ["is at an IP address", "use a domain name"];
  const reserved = reservedDomains.find((domain) => isWithin(host, domain));
  if (reserved === host) return [`is at ${host}, which nobody can reach from outside`, useReal];
  if (reserved !== undefined)
    return [`is at ${host}: names under .${reserved} cannot be reached from outside`, useReal];
  if (!host.includes(".")) return [`is at ${host}, which is no full domain`, useReal];
  if (!/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])$/.test(host))
    return [`has a domain that cannot exist: ${host}`, useReal];
  return placeholderDomain.test(host) ? [`is at ${host}, a placeholder from an example`, useReal] : undefined;
}

function hostNotes(host: string): string[] {
  const documentation = documentationDomains.find((domain) => isWithin(host, domain));
  if (documentation === undefined) return [];
  return [`nobody can be reached at ${host}: push services use the subject to contact you about problems`];
}

function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}
