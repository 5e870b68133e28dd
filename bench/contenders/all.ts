import type { Contender, Setting } from "./contender.ts";

/** What is known of a contender without its code, which only its own process loads. */
export interface ContenderEntry {
  readonly title: string;
  /** Its data stays when its process ends, in a store of this name; contenders that name the same one share it. */
  readonly store?: string;
  readonly server?: "redis-everysec" | "redis-always" | "postgres";
  /** How many updates make a measurement of some tenths of a second: all of a load's, a part, or more. */
  readonly share: number;
  readonly load: (setting: Setting) => Promise<Contender>;
}

/** The names that the results are kept under. */
export type ContenderName =
  | "stateless"
  | "floor"
  | "session-memory"
  | "session-file"
  | "session-redis-everysec"
  | "session-redis-always"
  | "session-postgres"
  | "perdure-disk"
  | "perdure-os"
  | "raw"
  | "raw-os";

const CONTENDERS: Readonly<Record<ContenderName, ContenderEntry>> = {
  stateless: {
    title: "grammY, one filter, no state",
    share: 4,
    load: async (setting) => (await import("./grammy-in-memory.ts")).stateless(setting),
  },
  floor: {
    title: "grammY, plain Maps (the floor)",
    share: 4,
    load: async (setting) => (await import("./grammy-in-memory.ts")).plainMaps(setting),
  },
  "session-memory": {
    title: "grammY session() in memory",
    share: 2,
    load: async (setting) => (await import("./grammy-in-memory.ts")).sessionInMemory(setting),
  },
  "session-file": {
    title: "grammY session(), file storage",
    store: "files",
    share: 0.1,
    load: async (setting) => (await import("./grammy-file.ts")).sessionFile(setting),
  },
  "session-redis-everysec": {
    title: "grammY session(), Redis everysec",
    store: "redis-everysec",
    server: "redis-everysec",
    share: 0.5,
    load: async (setting) => (await import("./grammy-redis.ts")).sessionRedis(setting),
  },
  "session-redis-always": {
    title: "grammY session(), Redis always",
    store: "redis-always",
    server: "redis-always",
    share: 0.5,
    load: async (setting) => (await import("./grammy-redis.ts")).sessionRedis(setting),
  },
  "session-postgres": {
    title: "grammY session(), PostgreSQL",
    store: "postgres",
    server: "postgres",
    share: 0.1,
    load: async (setting) => (await import("./grammy-postgres.ts")).sessionPostgres(setting),
  },
  "perdure-disk": {
    title: "Perdure, durability disk",
    store: "sqlite",
    share: 1,
    load: async (setting) => (await import("./perdure.ts")).perdure(setting, "disk"),
  },
  "perdure-os": {
    title: "Perdure, durability os",
    store: "sqlite",
    share: 1,
    load: async (setting) => (await import("./perdure.ts")).perdure(setting, "os"),
  },
  raw: {
    title: "SQLite alone, the same rows, disk",
    store: "sqlite",
    share: 1,
    load: async (setting) => (await import("./raw-sqlite.ts")).rawSqlite(setting, "full"),
  },
  "raw-os": {
    title: "SQLite alone, the same rows, os",
    store: "sqlite",
    share: 1,
    load: async (setting) => (await import("./raw-sqlite.ts")).rawSqlite(setting, "normal"),
  },
};

/** All of them, in the order of the tables. */
export const contenderNames: readonly ContenderName[] = Object.keys(CONTENDERS) as ContenderName[];

/** A contender's entry. */
export function entryOf(name: ContenderName): ContenderEntry {
  return CONTENDERS[name];
}
