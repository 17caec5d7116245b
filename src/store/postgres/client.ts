/**
 * pg's client, with two things mended that version 8 leaves to others.
 *
 * It takes a password out of `PGPASSFILE` or `~/.pgpass` as libpq does; pg's own way to that is being given up. And when it
 * gives up on a server, as it does where a password is wanted and there is none, it closes the connection: a process
 * would live on until the server does.
 */
import pg from "pg";
import readPassword from "pgpass";

export class Client extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    const { connection } = this;
    connection.on("error", () => connection.stream.destroy());
    if (!this.password) Object.assign(this, { password: () => passwordFor(this) });
  }
}

/** Asked for when the server wants one. */
async function passwordFor({ host, port, database, user }: pg.Client): Promise<string> {
  const connection = { host, port, ...(database && { database }), ...(user && { user }) };
  const password = await new Promise<string | undefined>((resolve) => {
    readPassword(connection, resolve);
  });
  if (password !== undefined) return password;
  throw Object.assign(new Error("it wants a password, and none was given"), { code: "28P01" });
}
