/**
 * The header fields that HPACK knows by number (RFC 7541 Appendix A).
 */

import { isFieldName, isFieldValue } from "../partial-response.ts";

/** A header field as it stands in a table. */
export interface Field {
  readonly name: string;
  readonly value: string;
  /** What it counts for in the size of a table (RFC 7541 §4.1). */
  readonly size: number;
  /** Whether name and value are fit for a header; looked at once, however often the field is used. */
  readonly isFit: boolean;
}

/** Makes a field and measures it; every character of it is one byte. */
export function createField(name: string, value: string): Field {
  const isFit = isFieldName(name) && isFieldValue(value);
  return { name, value, size: name.length + value.length + 32, isFit };
}

/** The static table; the first entry has index 1. */
export const staticTable: readonly Field[] = `
  :authority
  :method GET
  :method POST
  :path /
  :path /index.html
  :scheme http
  :scheme https
  :status 200
  :status 204
  :status 206
  :status 304
  :status 400
  :status 404
  :status 500
  accept-charset
  accept-encoding gzip, deflate
  accept-language
  accept-ranges
  accept
  access-control-allow-origin
  age
  allow
  authorization
  cache-control
  content-disposition
  content-encoding
  content-language
  content-length
  content-location
  content-range
  content-type
  cookie
  date
  etag
  expect
  expires
  from
  host
  if-match
  if-modified-since
  if-none-match
  if-range
  if-unmodified-since
  last-modified
  link
  location
  max-forwards
  proxy-authenticate
  proxy-authorization
  range
  referer
  refresh
  retry-after
  server
  set-cookie
  strict-transport-security
  transfer-encoding
  user-agent
  vary
  via
  www-authenticate`
  .trim()
  .split("\n")
  .map((line) => {
    const [, name = "", value = ""] = /^\s*(\S+) ?(.*)$/.exec(line) ?? [];
    return createField(name, value);
  });
