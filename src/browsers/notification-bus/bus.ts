/**
 * A session bus with one service on it: just what a browser asks of `org.freedesktop.DBus` to reach the notifications.
 *
 * A browser that is started with this bus sees a desktop with nothing but a
 * notification service: no keyring, no file chooser, no accessibility. Whatever
 * else it asks for is answered with the error a real bus would give.
 */
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { BusConnection } from "./connection.ts";
import type { DbusMessage } from "./message.ts";
import type { DbusValue } from "./signature.ts";

/** What a service says to a call. */
export type BusReply =
  | { readonly kind: "values"; readonly signature: string; readonly values: readonly DbusValue[] }
  | { readonly kind: "error"; readonly name: string; readonly message: string };

export interface BusSignal {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly values: readonly DbusValue[];
}

/** A client, as a service sees it. */
export interface BusClient {
  signal(signal: BusSignal): void;
}

/** What sits on the bus under a well-known name. */
export interface BusService {
  readonly name: string;
  answer(call: DbusMessage, client: BusClient): BusReply;
}

/** A bus that listens. */
export interface NotificationBus {
  /** For `DBUS_SESSION_BUS_ADDRESS`. */
  readonly address: string;
  close(): Promise<void>;
}

export interface BusOptions {
  readonly socketPath: string;
  /** Names the bus: 32 hex digits. */
  readonly busId: string;
  readonly service: BusService;
}

const busName = "org.freedesktop.DBus";
const busPath = "/org/freedesktop/DBus";
/** The service's own connection; clients are `:1.1` and on. */
const serviceOwner = ":1.0";

/** Opens a bus on a socket of the file system; who may reach the file may use it. */
export async function openNotificationBus({
  socketPath,
  busId,
  service,
}: BusOptions): Promise<NotificationBus> {
  const connections = new Set<BusConnection>();
  let clients = 0;
  const server = createServer((socket) => {
    clients += 1;
    const client = new Client({ socket, busId, service, uniqueName: `:1.${clients}` });
    connections.add(client.connection);
    socket.on("close", () => connections.delete(client.connection));
  });
  await listen(server, socketPath);
  return {
    address: `unix:path=${escapeAddress(socketPath)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          rmSync(socketPath, { force: true });
          resolve();
        });
        for (const connection of connections) connection.close();
      }),
  };
}

function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Values of addresses hold letters, digits and `-_/.\*`; the rest is escaped byte by byte. */
function escapeAddress(path: string): string {
  return [...Buffer.from(path)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[-0-9A-Za-z_/.\\*]/.test(character) ? character : `%${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");
}

interface ClientOptions {
  readonly socket: Socket;
  readonly busId: string;
  readonly service: BusService;
  readonly uniqueName: string;
}

class Client implements BusClient {
  readonly connection: BusConnection;
  readonly #options: ClientOptions;
  readonly #names = new Set<string>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.connection = new BusConnection({
      socket: options.socket,
      busId: options.busId,
      onMessage: (message) => {
        this.#hear(message);
      },
      onEnd: () => undefined,
    });
  }

  signal({ values, ...signal }: BusSignal): void {
    this.connection.send({ kind: "signal", ...signal, sender: serviceOwner, body: values });
  }

  /** Clients send each other nothing here, so only calls matter. */
  #hear(message: DbusMessage): void {
    if (message.kind !== "call") return;
    const reply = this.#answer(message);
    if (message.isUnanswered === true) return;
    const sender = message.destination === busName ? busName : serviceOwner;
    const addressed = { replySerial: message.serial, destination: this.#options.uniqueName, sender };
    if (reply.kind === "values") {
      const { signature, values } = reply;
      const body = signature === "" ? { body: [] } : { signature, body: values };
      this.connection.send({ kind: "return", ...addressed, ...body });
    } else {
      const body = { signature: "s", body: [reply.message] };
      this.connection.send({ kind: "error", ...addressed, errorName: reply.name, ...body });
    }
  }

  #answer(call: DbusMessage): BusReply {
    const { service } = this.#options;
    const { destination } = call;
    if (call.interface === "org.freedesktop.DBus.Peer") return answerPeer(call, this.#options.busId);
    if (destination === busName) return this.#answerForBus(call);
    if (destination === service.name || destination === serviceOwner) return service.answer(call, this);
    return {
      kind: "error",
      name: "org.freedesktop.DBus.Error.ServiceUnknown",
      message: `The name ${destination ?? ""} is not on this bus`,
    };
  }

  #answerForBus(call: DbusMessage): BusReply {
    const { uniqueName, busId, service } = this.#options;
    switch (call.member) {
      case "Hello":
        setImmediate(() => {
          this.#acquired(uniqueName);
        });
        return values("s", [uniqueName]);
      // The only signals are those about a client's own notifications: sent in any case.
      case "AddMatch":
      case "RemoveMatch":
      case "UpdateActivationEnvironment":
        return values("", []);
      case "GetId":
        return values("s", [busId]);
      case "ListNames":
        return values("as", [[busName, service.name, serviceOwner, uniqueName, ...this.#names]]);
      case "ListActivatableNames":
        return values("as", [[busName, service.name]]);
      default:
        return this.#answerForName(call, typeof call.body[0] === "string" ? call.body[0] : "");
    }
  }

  #answerForName(call: DbusMessage, name: string): BusReply {
    const owner = this.#ownerOf(name);
    switch (call.member) {
      case "NameHasOwner":
        return values("b", [owner !== undefined]);
      case "GetNameOwner":
        return owner === undefined ? noOwner(name) : values("s", [owner]);
      case "StartServiceByName":
        return owner === undefined ? noService(name) : values("u", [alreadyRunning]);
      case "RequestName":
        this.#names.add(name);
        return values("u", [primaryOwner]);
      case "ReleaseName":
        return values("u", [this.#names.delete(name) ? released : nonExistent]);
      default:
        return unknownMethod(call);
    }
  }

  /** Names that other clients asked for are not told: each client is alone with the service. */
  #ownerOf(name: string): string | undefined {
    const { service, uniqueName } = this.#options;
    if (name === busName) return busName;
    if (name === service.name || name === serviceOwner) return serviceOwner;
    return name === uniqueName || this.#names.has(name) ? uniqueName : undefined;
  }

  #acquired(name: string): void {
    this.connection.send({
      kind: "signal",
      path: busPath,
      interface: busName,
      member: "NameAcquired",
      sender: busName,
      destination: name,
      signature: "s",
      body: [name],
    });
  }
}

const primaryOwner = 1;
const released = 1;
const nonExistent = 2;
const alreadyRunning = 2;

/** The answer to a call that went well. */
export function values(signature: string, list: readonly DbusValue[]): BusReply {
  return { kind: "values", signature, values: list };
}

/** The answer to a call of something that is not there. */
export function unknownMethod(call: DbusMessage): BusReply {
  const member = `${call.interface ?? ""}.${call.member ?? ""}`;
  return {
    kind: "error",
    name: "org.freedesktop.DBus.Error.UnknownMethod",
    message: `${member} is not known here`,
  };
}

function noOwner(name: string): BusReply {
  const message = `The name ${name} has no owner`;
  return { kind: "error", name: "org.freedesktop.DBus.Error.NameHasNoOwner", message };
}

function noService(name: string): BusReply {
  const message = `The name ${name} is not provided by any service`;
  return { kind: "error", name: "org.freedesktop.DBus.Error.ServiceUnknown", message };
}

function answerPeer(call: DbusMessage, machineId: string): BusReply {
  if (call.member === "Ping") return values("", []);
  return call.member === "GetMachineId" ? values("s", [machineId]) : unknownMethod(call);
}
