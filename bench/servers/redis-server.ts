import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { freePort } from "./free-port.ts";
import { ServerProcess } from "./server-process.ts";

/** A server and how to reach it. */
export interface RunningServer {
  readonly url: string;
  readonly process?: ServerProcess | undefined;
}

/** A private Redis with an append-only file in this folder. The configuration goes through its standard input. */
export async function startRedis(folder: string, appendfsync: "everysec" | "always"): Promise<RunningServer> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const password = randomBytes(16).toString("hex");
  const input = [
    "bind 127.0.0.1",
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${folder}`,
    'save ""',
    "appendonly yes",
    `appendfsync ${appendfsync}`,
  ].join("\n");
  const process = await ServerProcess.start("redis-server", ["-"], { ready: "Ready to accept connections", input });
  return { url: `redis://:${password}@127.0.0.1:${port}`, process };
}
