import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { freePort } from "./free-port.ts";
import type { RunningServer } from "./redis-server.ts";
import { ServerProcess } from "./server-process.ts";

/** A private PostgreSQL with its default settings, in this folder. It refuses to run as root, so there it runs as another. */
export async function startPostgres(folder: string): Promise<RunningServer> {
  const programs = programsFolder();
  const user = unprivileged();
  const data = join(folder, "data");
  const passwordFile = join(folder, "password");
  const password = randomBytes(16).toString("hex");
  mkdirSync(folder, { recursive: true });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user.uid !== undefined)
    for (const path of [folder, passwordFile]) chownSync(path, user.uid, user.gid ?? user.uid);
  const identity = { ...user, cwd: folder };
  const layout = [
    "-D",
    data,
    "-U",
    "bench",
    "-E",
    "UTF8",
    "--locale=C",
    "-A",
    "scram-sha-256",
    `--pwfile=${passwordFile}`,
  ];
  execFileSync(join(programs, "initdb"), layout, { ...identity, stdio: "pipe" });
  const port = await freePort();
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories="].flatMap((setting) => ["-c", setting]);
  const process = await ServerProcess.start(join(programs, "postgres"), ["-D", data, "-p", String(port), ...settings], {
    ready: "database system is ready to accept connections",
    ...identity,
  });
  return { url: `postgres://bench:${password}@127.0.0.1:${port}/postgres`, process };
}

/** Where `postgres` and `initdb` are: what is on the path may be a link to one of several versions. */
function programsFolder(): string {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const program = join(folder, "postgres");
    if (existsSync(program)) return dirname(realpathSync(program));
  }
  throw new Error("postgres is not on the path");
}

function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
