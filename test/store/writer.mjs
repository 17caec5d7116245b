// Adds subscriptions as fast as it can, and names each once it is stored: `node writer.mjs FOLDER NAME COUNT BATCH`.
import { locateProject } from "../../dist/store/project.js";
import { createSubscriptionStore } from "../../dist/store/subscription-file.js";
import { parseSubscription } from "../../dist/protocol/subscription.js";

const [cwd, name, count, batch] = process.argv.slice(2);
const store = createSubscriptionStore(locateProject({ cwd, configDir: undefined, profile: undefined }));

function subscriptionNumber(number) {
  return parseSubscription({
    endpoint: `https://push.example.net/${name}/${number}`,
    keys: {
      p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
      auth: "BTBZMqHH6r4Tts7J_aSIgg",
    },
  });
}

for (let from = 0; from < Number(count); from += Number(batch)) {
  const added = await store.add(
    Array.from({ length: Number(batch) }, (_, index) => {
      return { subscription: subscriptionNumber(from + index), name: undefined, tags: [] };
    }),
    Date.parse("2026-11-02T12:00:00Z"),
  );
  for (const { record } of added) process.stdout.write(`${record.subscription.endpoint}\n`);
}
