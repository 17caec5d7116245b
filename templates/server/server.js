/**
 * Starts the server: the environment, the database, HTTP. Stops it in the same order, the other way round.
 */
import { fileURLToPath } from "node:url";
import { listen } from "./http.js";
import { ConfigError, readConfig } from "./lib/config.js";
import { createLog } from "./lib/log.js";
import { openService } from "./lib/service.js";
import { settings } from "./lib/settings.js";

const home = fileURLToPath(new URL(".", import.meta.url));
const log = createLog();

try {
  process.loadEnvFile(new URL(".env", import.meta.url)); // what the environment has already stays
} catch (error) {
  if (error.code !== "ENOENT") throw error;
}

try {
  const config = readConfig(process.env, { home, settings });
  const service = openService(config, { log });
  const http = await listen(service, config);
  service.start();
  log("listening", { host: config.host, port: http.port });
  stopAtSignals(async () => {
    await http.close();
    await service.close();
  });
} catch (error) {
  const isTheirs = error instanceof ConfigError || error.code === "EADDRINUSE" || error.code === "EACCES";
  console.error(isTheirs ? `error: ${error.message}` : error);
  process.exit(1);
}

function stopAtSignals(stop) {
  let isStopping = false;
  const onSignal = async (signal) => {
    if (isStopping) process.exit(1); // asked twice: at once
    isStopping = true;
    log("stopping", { signal });
    await stop();
    log("stopped");
    process.exit(0);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}
