import { expect, test } from "vitest";
import { parseStoreAddress } from "../../../src/store/postgres/address.ts";
import { errorOf } from "../../support/thrown.ts";

test.each([
  ["postgres://push@db.example.net/push", {}, "postgres://push@db.example.net/push"],
  ["postgres://push:secret@localhost/push", false, "postgres://push@localhost/push"],
  ["postgres:///push?host=/run/postgresql", false, "postgres:///run/postgresql/push"],
  // Where the connection leads decides, and not what stands in front.
  ["postgres://push@localhost/push?host=db.example.net", {}, "postgres://push@db.example.net/push"],
  ["postgres://push@db.example.net/push?host=127.0.0.1", false, "postgres://push@127.0.0.1/push"],
])(
  "%s: TLS with a verified certificate to all but this machine, shown without password",
  (text, ssl, shown) => {
    expect(parseStoreAddress(text)).toMatchObject({ ssl, shown });
  },
);

test.each([
  ["mysql://u:hunter2@h/x", "it begins with mysql:"],
  ["postgres://u:hunter2@127.0.0.1:99999/x", "a part of it cannot be read"],
  ["postgres://u:hun ter2@[::1/x", "a part of it cannot be read"],
  ["hunter2", "it has no postgres:// in front"],
])("%s is refused, and no password is repeated", (text, what) => {
  const { message } = errorOf(() => parseStoreAddress(text));
  expect(message).toBe(`that is not the address of a PostgreSQL database: ${what}`);
});
