/** The part of an endpoint by which senders know a subscription. */

/** The id in an endpoint, or in what is the id already. */
export function pushIdIn(name: string): string {
  if (!URL.canParse(name)) return name;
  const { pathname, searchParams } = new URL(name);
  return searchParams.get("token") ?? pathname.slice(pathname.lastIndexOf("/") + 1); // WNS has it in the query
}
