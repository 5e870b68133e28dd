import { join } from "node:path";
import type { ContenderEntry } from "../contenders/all.ts";
import { startPostgres } from "./postgres-server.ts";
import { startRedis, type RunningServer } from "./redis-server.ts";

type ServerName = NonNullable<ContenderEntry["server"]>;

/** Where somebody's own server is named, and what it takes to have a private one started. */
const SOURCES: Readonly<Record<ServerName, { variable: string; start: (folder: string) => Promise<RunningServer> }>> = {
  "redis-everysec": { variable: "PERDURE_BENCH_REDIS", start: (folder) => startRedis(folder, "everysec") },
  "redis-always": { variable: "PERDURE_BENCH_REDIS_ALWAYS", start: (folder) => startRedis(folder, "always") },
  postgres: { variable: "PERDURE_BENCH_POSTGRES", start: startPostgres },
};

/** The servers that storages need: those that the environment names, else private ones, else none. */
export class Servers {
  readonly #folder: string;
  readonly #running = new Map<ServerName, RunningServer>();
  /** What is said about servers in the results. */
  readonly remarks: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Finds or starts all of them, and says aloud which contenders are left out. */
  async start(): Promise<void> {
    for (const [name, { variable, start }] of Object.entries(SOURCES) as [ServerName, (typeof SOURCES)[ServerName]][]) {
      const url = process.env[variable];
      try {
        this.#running.set(name, url ? { url } : await start(join(this.#folder, name)));
        this.remarks.push(`${name}: ${url ? `the server of ${variable}, as it is configured` : "a private server"}`);
      } catch (error) {
        const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
        this.remarks.push(`${name}: LEFT OUT (${reason}); name a server with ${variable}, or install one`);
      }
    }
    for (const remark of this.remarks) console.log(remark);
  }

  /** How to reach one; `undefined` where it was left out. */
  url(name: ServerName): string | undefined {
    return this.#running.get(name)?.url;
  }

  async stop(): Promise<void> {
    for (const { process } of this.#running.values()) await process?.stop();
    this.#running.clear();
  }
}
