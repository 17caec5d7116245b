/**
 * npm run send -- "Title" "Body" [/path]
 *
 * Hands a message to the running server, and waits until everybody has it. Stop it when you like: the server goes on.
 */
import { setTimeout as wait } from "node:timers/promises";
import { settings } from "./lib/settings.js";

try {
  process.loadEnvFile(new URL(".env", import.meta.url));
} catch (error) {
  if (error.code !== "ENOENT") throw error;
}

const { HOST: host = "127.0.0.1", PORT: port = "3000", SEND_TOKEN: token } = process.env;
const url = `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${port}${settings.api}/send`;
const [title, body, link] = process.argv.slice(2);

try {
  if (!title) throw new Error('what to send is missing: npm run send -- "Title" "Body"');
  if (!token)
    throw new Error("SEND_TOKEN is not set: put SEND_TOKEN=… of 32 characters or more into .env, restart");
  const payload = { title, body, url: link };
  const { id } = await ask(url, { method: "POST", body: JSON.stringify({ payload }) });
  console.log(`broadcast ${id} is on its way`);
  for (;;) {
    const { finished, accepted, gone, failed } = await ask(`${url}/${id}`);
    if (finished) {
      console.log(`${accepted} accepted, ${gone} gone, ${failed} failed`);
      process.exit(failed > 0 ? 1 : 0);
    }
    await wait(1500); // well below the server's limit of requests
  }
} catch (error) {
  console.error(
    `error: ${error.cause?.code === "ECONNREFUSED" ? `no server at ${url}: npm start` : error.message}`,
  );
  process.exit(1);
}

async function ask(address, options = {}) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const response = await fetch(address, { ...options, headers });
  if (response.ok) return response.json();
  if (response.status === 404)
    throw new Error("the server takes no broadcasts: start it with the same SEND_TOKEN");
  throw new Error(`the server said no: ${(await response.json()).message}`);
}
