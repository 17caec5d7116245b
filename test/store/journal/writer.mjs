// Keeps the journal of a broadcast as fast as it can, and says what it noted once it did: `node writer.mjs FILE FROM`.
// Of five recipients at a time it notes the intents, then the results; with FROM `hold` it only holds the journal.
import { openJournal } from "../../../dist/store/journal/journal.js";
import { fingerprintOf } from "../../../dist/base/fingerprint-set.js";

const [path, from] = process.argv.slice(2);
const identity = { payload: "payload", options: {}, keys: [], inputs: [{ kind: "stream" }] };
const journal = await openJournal(path, identity, {
  clock: Date,
  campaignId: "campaign",
  resumeAnyway: false,
});
process.stdout.write("open\n");
if (from === "hold") process.stdin.resume();
else
  for (let first = Number(from); ; first += 5) {
    const batch = Array.from({ length: 5 }, (_, index) => first + index);
    for (const number of batch) {
      journal.intend(fingerprintOf(`https://push.example.net/${number}`));
      process.stdout.write(`${number} ambiguous\n`);
    }
    for (const number of batch) {
      journal.record(fingerprintOf(`https://push.example.net/${number}`), "accepted", { status: 201 });
      process.stdout.write(`${number} accepted\n`);
    }
    await new Promise(setImmediate);
  }
