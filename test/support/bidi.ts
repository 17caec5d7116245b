/**
 * A person at a Firefox, over WebDriver BiDi: opens pages, presses buttons, reads what is there.
 *
 * Only what the tests need of https://www.w3.org/TR/webdriver-bidi/; every command has a limit, so a
 * browser that hangs fails the test that waits for it.
 */
import { WebSocket } from "ws";
import { waitUntil } from "./wait-until.ts";

const commandTimeoutMs = 60_000;

type Fields = Readonly<Record<string, unknown>>;
interface Pending {
  readonly resolve: (result: Fields) => void;
  readonly reject: (error: Error) => void;
}

export class Bidi implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #context = "";
  /** What pages wrote to the console, and errors nobody caught. */
  readonly log: string[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      this.#take(JSON.parse((data as Buffer).toString()) as Fields);
    });
    socket.on("close", () => {
      for (const { reject } of this.#pending.values()) reject(new Error("the browser hung up"));
    });
  }

  /** Connects to `ws://127.0.0.1:PORT` as the browser prints it, and uses its first tab. */
  static async connect(url: string): Promise<Bidi> {
    const socket = new WebSocket(`${url}/session`, { maxPayload: 64 * 1_048_576 });
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    const bidi = new Bidi(socket);
    await bidi.#command("session.new", { capabilities: {} });
    await bidi.#command("session.subscribe", { events: ["log.entryAdded"] });
    const { contexts } = await bidi.#command("browsingContext.getTree", {});
    bidi.#context = ((contexts as Fields[])[0]?.["context"] as string | undefined) ?? "";
    return bidi;
  }

  async goto(url: string): Promise<void> {
    await this.#command("browsingContext.navigate", { context: this.#context, url, wait: "complete" });
  }

  async setViewport(width: number, height: number): Promise<void> {
    const viewport = { width, height };
    await this.#command("browsingContext.setViewport", { context: this.#context, viewport });
  }

  /** The value of an expression in the page; a promise is awaited. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const answer = await this.#command("script.evaluate", {
      expression: `(async () => JSON.stringify(await (${expression})) ?? "null")()`,
      target: { context: this.#context },
      awaitPromise: true,
    });
    if (answer["type"] !== "success")
      throw new Error(JSON.stringify((answer["exceptionDetails"] as Fields | undefined)?.["text"]));
    return JSON.parse((answer["result"] as { value: string }).value) as Value;
  }

  /** Waits until an expression in the page is true. */
  async until(expression: string): Promise<void> {
    await waitUntil((text) => this.evaluate(text), expression);
  }

  /** Presses the element a selector finds, as a person does: with the mouse, which is a user's gesture. */
  async click(selector: string): Promise<void> {
    const found = `document.querySelector(${JSON.stringify(selector)})`;
    await this.until(`${found} && ${found}.getClientRects().length > 0 && !${found}.disabled`);
    const { x, y } = await this.evaluate<{ x: number; y: number }>(
      `(() => { const e = ${found}; e.scrollIntoView({ block: "center", behavior: "instant" }); const r = e.getBoundingClientRect(); return { x: Math.round(r.x + r.width / 2), y: Math.round(r.y + r.height / 2) }; })()`,
    );
    const actions = [
      { type: "pointerMove", x, y },
      { type: "pointerDown", button: 0 },
      { type: "pointerUp", button: 0 },
    ];
    await this.#command("input.performActions", {
      context: this.#context,
      actions: [{ type: "pointer", id: "mouse", actions }],
    });
  }

  /** A PNG of the window. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.#command("browsingContext.captureScreenshot", { context: this.#context });
    return Buffer.from(data as string, "base64");
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    return Promise.resolve();
  }

  #command(method: string, params: Fields): Promise<Fields> {
    const id = (this.#lastId += 1);
    let timer: NodeJS.Timeout | undefined;
    const answered = new Promise<Fields>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      timer = setTimeout(() => {
        reject(new Error(`${method} was not answered in ${commandTimeoutMs / 1000} s`));
      }, commandTimeoutMs);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
    return answered.finally(() => {
      clearTimeout(timer);
      this.#pending.delete(id);
    });
  }

  #take(message: Fields): void {
    if (message["method"] === "log.entryAdded") {
      const { level, text } = message["params"] as { level: string; text: string | null };
      this.log.push(`${level}: ${text ?? ""}`);
      return;
    }
    const pending = this.#pending.get(message["id"] as number);
    if (message["type"] === "error")
      pending?.reject(new Error(`${String(message["error"])}: ${String(message["message"])}`));
    else pending?.resolve(message["result"] as Fields);
  }
}
