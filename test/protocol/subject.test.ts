import fc from "fast-check";
import { expect, test } from "vitest";
import { UserError } from "../../src/base/errors.ts";
import { parseSubject } from "../../src/protocol/subject.ts";

/** The message of the refusal of `text`. */
function refusalOf(text: string): string {
  try {
    return `accepted as ${parseSubject(text).subject}`;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.code).toBe("vapid-subject");
    expect(error.hints).toHaveLength(1);
    return error.message;
  }
}

test.each([
  "mailto:push@company.de",
  "mailto:first.last+push@sub.company.co.uk",
  "mailto:o'neil_x=y@company.de",
  "mailto:a@xn--bcher-kva.de",
  "https://company.de",
  "https://company.de:8443/contact?via=push#form",
])("%s is taken as it is", (text) => {
  expect(parseSubject(text)).toEqual({ subject: text, notes: [] });
});

test.each([
  ["push@company.de", "mailto:push@company.de", "added mailto: to the bare mail address"],
  ["MAILTO:push@company.de", "mailto:push@company.de", "wrote MAILTO: in lower case"],
  ["Https://company.de/", "https://company.de/", "wrote Https: in lower case"],
  ["  mailto:push@company.de\r\n", "mailto:push@company.de", undefined],
  [
    "mailto:a@bücher.de",
    "mailto:a@xn--bcher-kva.de",
    "wrote the domain as xn--bcher-kva.de, the form mail servers use",
  ],
  [
    "https://bücher.de/ü",
    "https://xn--bcher-kva.de/%C3%BC",
    "wrote the URL as https://xn--bcher-kva.de/%C3%BC, the form that travels",
  ],
])("%j is normalised to %s and the change is said", (text, subject, note) => {
  expect(parseSubject(text)).toEqual({ subject, notes: note === undefined ? [] : [note] });
});

test.each(["mailto:push@example.com", "https://www.example.org/contact", "mailto:a@mail.example.net"])(
  "%s is accepted with the warning that nobody is there",
  (text) => {
    const { subject, notes } = parseSubject(text);
    expect(subject).toBe(text);
    expect(notes).toEqual([expect.stringMatching(/^nobody can be reached at .*example/)]);
  },
);

test.each([
  ["", "is empty"],
  ["mailto:", "has no address after mailto:"],
  ["undefined", "is neither a mail address nor an https: URL"],
  ["mailto:company.de", "is not a mail address, it has no @"],
  ["mailto:mailto:a@company.de", "has mailto: twice"],
  ["mailto://a@company.de", "has // after mailto:"],
  ["mailto: a@company.de", "contains a space"],
  ["mailto:a @company.de", "contains a space"],
  ["mailto:<a@company.de>", "has angle brackets around the address"],
  ["Jane Doe <jane@company.de>", "has angle brackets around the address"],
  ["<your email>", "contains < or >, as templates do"],
  ['"mailto:a@company.de"', "is in quotation marks"],
  ["mailto:a@company.de\nBcc: b@company.de", "contains a control character or line break"],
  ["mailto:a@company.de?subject=push", "carries more than an address"],
  ["mailto:a@company.de,b@company.de", "names several addresses"],
  ["mailto:a%40company.de", "is percent-encoded"],
  ["mailto:a@b@company.de", "has more than one @"],
  ["mailto:@company.de", "has nothing before the @"],
  ["mailto:a@", "has no domain after the @"],
  ["mailto:a..b@company.de", 'is not a mail address: "a..b" cannot stand before the @'],
  ["mailto:jürgen@company.de", "has letters outside ASCII before the @"],
  ["mailto:a@company", "is at company, which is no full domain"],
  ["mailto:a@company.de.", "has a domain that cannot exist: company.de."],
  ["mailto:a@-company.de", "has a domain that cannot exist: -company.de"],
  ["mailto:a@com_pany.de", "has a domain that cannot exist: com_pany.de"],
  ["mailto:a@company.123", 'has a domain that cannot exist: "company.123"'],
  ["mailto:a@[10.0.0.1]", "is at an IP address"],
  ["mailto:a@10.0.0.1", "is at an IP address"],
  ["https://10.0.0.1/", "is at an IP address"],
  ["https://0x7f.1/", "is at an IP address"],
  ["https://[::1]/", "is at an IP address"],
  ["mailto:a@localhost", "is at localhost, which nobody can reach from outside"],
  ["https://localhost:3000", "is at localhost, which nobody can reach from outside"],
  ["https://intranet", "is at intranet, which is no full domain"],
  ["http://company.de", "is plain http"],
  ["https:company.de", "is not an https: URL"],
  ["https://", "has no host"],
  ["https://user:pw@company.de", "has a user name in the URL"],
  ["https://company.de\\contact", "contains a backslash"],
  ["company.de", "has no scheme"],
  ["tel:+491234", "is neither a mailto: nor an https: URL"],
  ["javascript:alert(1)", "is neither a mailto: nor an https: URL"],
  ["mailto:example@yourdomain.org", "is at yourdomain.org, a placeholder from an example"],
  ["your-email@gmail.com", "is a placeholder from an example"],
])("%j is refused: it %s", (text, why) => {
  expect(refusalOf(text)).toBe(`VAPID subject${text === "" ? "" : ` ${JSON.stringify(text)}`} ${why}`);
});

test.each(["local", "localhost", "invalid", "test", "example", "internal", "localdomain", "home.arpa"])(
  "a host under .%s is refused in both kinds of subject",
  (domain) => {
    expect(refusalOf(`mailto:a@shop.${domain}`)).toContain(`names under .${domain} cannot be reached`);
    expect(refusalOf(`https://shop.${domain}/`)).toContain(`names under .${domain} cannot be reached`);
  },
);

test("200 characters are accepted, 201 are not", () => {
  const page = `https://company.de/${"a".repeat(181)}`;
  expect(parseSubject(page).subject).toHaveLength(200);
  expect(refusalOf(`${page}a`)).toContain("is 201 characters long, the most is 200");
});

test("the hint says what to write instead", () => {
  const hints = (text: string) => {
    try {
      parseSubject(text);
    } catch (error) {
      if (error instanceof UserError) return error.hints;
    }
    return [];
  };
  expect(hints("mailto:mailto:a@company.de")).toEqual(["write mailto:a@company.de"]);
  expect(hints("Jane <jane@company.de>")).toEqual(["write mailto:jane@company.de"]);
  expect(hints("company.de")).toEqual(["write https://company.de or a mailto: address"]);
});

test("any text at all is either refused with a UserError or becomes a printable URL that parses to itself", () => {
  const words = fc.constantFrom(
    "mailto:",
    "https://",
    "a@",
    "company",
    ".de",
    "<",
    "%",
    "[",
    "@",
    "/",
    "\\",
    ":",
    "ü",
    "。",
    "\u200b",
    " ",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(words, { maxLength: 8 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (candidate) => {
      try {
        const { subject } = parseSubject(candidate);
        expect(subject).toMatch(/^(?:mailto:|https:\/\/)[!-~]+$/);
        expect(URL.canParse(subject)).toBe(true);
        expect(parseSubject(subject).subject).toBe(subject);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
