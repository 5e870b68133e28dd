import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/** What changes a file that is open. */
const WRITING = "pwrite64,fsync,fdatasync,ftruncate,unlink";
/** What brings a commit to the disk, in any thread. */
const FLUSHING = "fdatasync";
/** What `writeFile` does to a file, each in any thread. */
const REWRITING = ["openat", "write", "close"];

/** `strace`, attached to a process, which kills it before a system call. */
export class SystemCallKiller {
  readonly #process: ChildProcess;
  /** Resolves when it is there; rejects when it cannot be. */
  readonly attached: Promise<void>;
  readonly exited: Promise<unknown>;

  /**
   * Kills before the so many-th call that writes, from now on, or with 0 before the first that flushes; with a path, in the so many-th step of `writeFile`
   * to it.
   */
  constructor(pid: number, when: number, path = "") {
    // strace counts the calls of each thread by themselves.
    const [calls, count] =
      path !== "" ? [REWRITING[when - 1] ?? "close", 1] : when > 0 ? [WRITING, when] : [FLUSHING, 1];
    const filter = path === "" ? [] : ["-P", path];
    const kill = `inject=${calls}:signal=SIGKILL:when=${count}`;
    const args = ["-f", "-p", String(pid), "-o", "/dev/null", ...filter, "-e", `trace=${calls}`, "-e", kill];
    this.#process = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
    this.exited = once(this.#process, "close").catch(() => {});
    this.attached = this.#attach();
  }

  /** Whether this process may attach strace to its children. */
  static async isPossible(): Promise<boolean> {
    if (spawnSync("strace", ["-V"]).error !== undefined) return false;
    const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
    const exited = once(child, "exit");
    const killer = new SystemCallKiller(child.pid ?? 0, 1);
    const isPossible = await killer.attached.then(
      () => true,
      () => false,
    );
    child.kill("SIGKILL");
    await Promise.all([exited, killer.exited]);
    return isPossible;
  }

  #attach(): Promise<void> {
    let told = "";
    return new Promise((resolve, reject) => {
      this.#process.stderr?.on("data", (data) => {
        told += String(data);
        if (told.includes(" attached")) resolve();
      });
      this.#process.once("error", reject);
      this.#process.once("close", () => reject(new Error(`strace did not attach: ${told}`)));
    });
  }
}
