/** pgpass 1.0, which ships no types: the password for a connection out of the file that libpq reads. */
declare module "pgpass" {
  interface Connection {
    readonly host: string;
    readonly port: number;
    readonly database?: string;
    readonly user?: string;
  }

  function readPassword(connection: Connection, done: (password: string | undefined) => void): void;
  export = readPassword;
}
