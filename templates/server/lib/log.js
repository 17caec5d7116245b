/** Log lines: one JSON object each, on stdout, for journald or whatever collects them. Never a key or a token. */

/** @typedef {(event: string, details?: object) => void} Log */

/** @returns {Log} */
export function createLog(write = (line) => process.stdout.write(`${line}\n`)) {
  return (event, details = {}) => write(JSON.stringify({ at: new Date().toISOString(), event, ...details }));
}

/** An endpoint is a secret: whoever has it can send to it, as far as the service lets them. So only its end is shown. */
export function shorten(endpoint) {
  const { host } = new URL(endpoint);
  return `${host}/…${endpoint.slice(-6)}`;
}
