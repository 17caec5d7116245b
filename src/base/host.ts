/** Hosts as they are written. */

/** An address as it stands in a URL, unified as the URL parser does. */
export function hostInUrl(host: string): string {
  const authority = host.includes(":") ? `[${host}]` : host;
  return URL.canParse(`http://${authority}/`) ? new URL(`http://${authority}/`).hostname : authority;
}
