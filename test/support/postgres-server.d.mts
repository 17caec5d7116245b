export interface PostgresServer {
  readonly port: number;
  readonly folder: string;
  /** The address of one of its databases, as superuser. */
  url(database?: string): string;
  start(): Promise<void>;
  /** Ends it as a crash would: all its processes, at once. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export function findPostgres(): string | undefined;

export function createPostgres(options?: {
  readonly settings?: Readonly<Record<string, string>>;
  readonly guarded?: number;
}): Promise<PostgresServer>;
