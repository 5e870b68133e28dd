import { basename, dirname } from "node:path";
import type { DiskOperation } from "./disk-operation.ts";

/** What changes files; a call of these that is not understood and concerns the folder is an error. */
const TRACED =
  "openat,close,dup,dup2,write,pwrite64,writev,pwritev,fsync,fdatasync,ftruncate,fallocate,rename,renameat,renameat2,unlink,unlinkat";

/** strace's options: all threads, all data, all text as hexadecimal numbers. */
export const TRACE_OPTIONS: readonly string[] = ["-f", "-xx", "-s", "100000000", "-e", `trace=${TRACED}`];

const LINE = /^(\d+) +(.*)$/;
/** Of a call during which another thread did something there are two lines. */
const BEGINNING = /^(.*) <unfinished \.\.\.>$/;
const END = /^<\.\.\. \w+ resumed>(.*)$/;
const CALL = /^(\w+)\((.*)\)\s+= (-?\d+)/;
const FOLDER = -1;

/** A call that has begun. */
interface Begun {
  readonly text: string;
  /** How many operations were recorded before. */
  readonly upTo: number;
}

/**
 * Reads what strace wrote about one process after another, as operations on the files of one folder. What a call does it has done when it ends;
 * only a descriptor is free for others from when `close` begins.
 */
export class TraceReader {
  readonly operations: DiskOperation[] = [];
  readonly #folder: string;
  /** The files that have a name now. */
  readonly #names = new Map<string, number>();
  /** What the descriptors of the process stand for. */
  #descriptors = new Map<number, number>();
  /** What each thread is in the middle of. */
  #begun = new Map<string, Begun>();
  #files = 0;
  #told = "";

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The trace of the next process. */
  read(trace: string): void {
    this.#descriptors = new Map();
    this.#begun = new Map();
    this.#told = "";
    for (const line of trace.split("\n")) {
      const [, thread = "", text = ""] = LINE.exec(line) ?? [];
      this.#read(thread, text);
    }
  }

  #read(thread: string, line: string): void {
    const beginning = BEGINNING.exec(line)?.[1];
    const end = END.exec(line)?.[1];
    if (end === undefined) this.#begin(thread, beginning ?? line);
    if (beginning !== undefined) return;
    const { text = "", upTo = 0 } = this.#begun.get(thread) ?? {};
    this.#begun.delete(thread);
    const [, name = "", args = "", result = ""] = CALL.exec(text + (end ?? "")) ?? [];
    if (name !== "" && Number(result) >= 0) this.#call(name, args, Number(result), upTo);
  }

  #begin(thread: string, text: string): void {
    this.#begun.set(thread, { text, upTo: this.operations.length });
    if (text.startsWith("close(")) this.#descriptors.delete(Number.parseInt(text.slice("close(".length), 10));
  }

  #call(name: string, args: string, result: number, upTo: number): void {
    const descriptor = Number.parseInt(args, 10);
    switch (name) {
      case "openat":
        return this.#open(args, result);
      case "close":
        return;
      case "write":
        if (descriptor === 1) return this.#tell(texts(args)[0] ?? Buffer.alloc(0));
        break;
      case "pwrite64":
        return this.#write(descriptor, args);
      case "fsync":
      case "fdatasync":
        return this.#sync(descriptor, upTo);
      case "ftruncate":
        return this.#truncate(descriptor, args);
      case "rename":
      case "renameat":
      case "renameat2":
        return this.#rename(args);
      case "unlink":
      case "unlinkat":
        return this.#remove(args);
    }
    // What is not understood must not concern the folder.
    if (this.#descriptors.has(descriptor)) throw new Error(`${name} to a file of ${this.#folder} is not understood`);
  }

  #open(args: string, descriptor: number): void {
    const path = texts(args)[0]?.toString() ?? "";
    if (path === this.#folder) return void this.#descriptors.set(descriptor, FOLDER);
    const name = this.#nameOf(path);
    if (name === undefined) return;
    const known = this.#names.get(name);
    this.#descriptors.set(descriptor, known ?? this.#create(name));
    if (known !== undefined && args.includes("O_TRUNC"))
      this.operations.push({ kind: "truncate", file: known, size: 0 });
  }

  #create(name: string): number {
    this.#files += 1;
    this.#names.set(name, this.#files);
    this.operations.push({ kind: "create", name, file: this.#files });
    return this.#files;
  }

  #write(descriptor: number, args: string): void {
    const file = this.#descriptors.get(descriptor);
    const data = texts(args)[0];
    const offset = Number(/(\d+)$/.exec(args)?.[1]);
    if (file !== undefined && data !== undefined) this.operations.push({ kind: "write", file, offset, data });
  }

  #sync(descriptor: number, upTo: number): void {
    const file = this.#descriptors.get(descriptor);
    if (file === FOLDER) this.operations.push({ kind: "sync folder" });
    else if (file !== undefined) this.operations.push({ kind: "sync", file, upTo });
  }

  #truncate(descriptor: number, args: string): void {
    const file = this.#descriptors.get(descriptor);
    if (file !== undefined) this.operations.push({ kind: "truncate", file, size: Number(/(\d+)$/.exec(args)?.[1]) });
  }

  #rename(args: string): void {
    const [from, to] = texts(args).map((path) => this.#nameOf(path.toString()));
    const file = from === undefined ? undefined : this.#names.get(from);
    if (from === undefined || to === undefined || file === undefined) return;
    this.#names.delete(from);
    this.#names.set(to, file);
    this.operations.push({ kind: "rename", from, to, file });
  }

  #remove(args: string): void {
    const name = this.#nameOf(texts(args)[0]?.toString() ?? "");
    if (name !== undefined && this.#names.delete(name)) this.operations.push({ kind: "remove", name });
  }

  /** Lines, however they were cut into writes. */
  #tell(data: Buffer): void {
    const lines = (this.#told + data.toString()).split("\n");
    this.#told = lines.pop() ?? "";
    for (const line of lines) this.operations.push({ kind: "tell", line });
  }

  #nameOf(path: string): string | undefined {
    return dirname(path) === this.#folder ? basename(path) : undefined;
  }
}

function texts(args: string): Buffer[] {
  return [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, text = ""]) =>
    Buffer.from(text.replaceAll("\\x", ""), "hex"),
  );
}
