/** A request that is not done: a status, a code for programs and a line for people. */
export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** What the client is told of an error. Of our own failures it learns nothing: the log has them. */
export function answerTo(error, log) {
  if (error instanceof Refusal) {
    return { status: error.status, body: { error: error.code, message: error.message } };
  }
  log("failed", { message: error.stack ?? String(error) });
  return { status: 500, body: { error: "internal", message: "the server failed; its log says why" } };
}

/** What a stranger sent, short enough to repeat. */
export function quote(value) {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
