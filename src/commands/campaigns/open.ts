/** The campaigns of the store's database, for as long as a command runs. */
import { openCampaigns, type Campaigns } from "../../campaigns/campaigns.ts";
import { openDatabase } from "../../store/postgres/database.ts";
import type { Context } from "../context.ts";
import { requireStoreAddress } from "../store-address.ts";

/**
 * Does `work` with the campaigns.
 *
 * @throws UserError `store-required`, `store-not-migrated`, `store-unreachable`
 */
export async function withCampaigns<Result>(
  context: Pick<Context, "storeAddress">,
  work: (campaigns: Campaigns) => Promise<Result>,
): Promise<Result> {
  await using database = openDatabase(requireStoreAddress(context));
  await using campaigns = await openCampaigns(database);
  return await work(campaigns);
}
