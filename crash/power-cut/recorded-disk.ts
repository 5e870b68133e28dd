import type { DiskOperation } from "./disk-operation.ts";

/** What a disk writes as a whole, or not at all. */
const SECTOR = 512;

type Files = Map<string, number>;
type Change = Extract<DiskOperation, { kind: "write" | "truncate" }>;
type Naming = Extract<DiskOperation, { kind: "create" | "rename" | "remove" }>;

interface DiskFile {
  content: Buffer<ArrayBufferLike>;
  durable: Buffer<ArrayBufferLike>;
  /** What was done to it that no sync covers, each as the so many-th operation. */
  pending: { readonly nth: number; readonly change: Change }[];
}

/**
 * What becomes of what was not synced when the power is cut: all of it is gone; all of it is there, as after the end of a
 * process; some of it is there, some is gone and some is torn, as chance has it.
 */
export type Fate = "gone" | "there" | (() => number);

/** The files of a folder, as a process sees them and as a power cut would leave them. */
export class RecordedDisk {
  readonly #files = new Map<number, DiskFile>();
  readonly #names: Files = new Map();
  #durableNames: Files = new Map();
  #pendingNames: Naming[] = [];
  #applied = 0;

  apply(operation: DiskOperation): void {
    this.#applied += 1;
    switch (operation.kind) {
      case "create":
        this.#files.set(operation.file, { content: Buffer.alloc(0), durable: Buffer.alloc(0), pending: [] });
        this.#name(operation);
        break;
      case "rename":
      case "remove":
        this.#name(operation);
        break;
      case "write":
      case "truncate":
        this.#change(operation);
        break;
      case "sync":
        sync(this.#file(operation.file), operation.upTo);
        break;
      case "sync folder":
        this.#durableNames = new Map(this.#names);
        this.#pendingNames = [];
        break;
      case "tell":
    }
  }

  /** Every file as its process sees it. */
  content(): Map<string, Buffer> {
    return new Map([...this.#names].map(([name, file]) => [name, this.#file(file).content]));
  }

  /** Every file as it is found after a power cut. */
  cut(fate: Fate): Map<string, Buffer> {
    const names = this.#namesAfter(fate);
    return new Map([...names].map(([name, file]) => [name, contentAfter(this.#file(file), fate)]));
  }

  #name(naming: Naming): void {
    this.#pendingNames.push(naming);
    rename(this.#names, naming);
  }

  #change(change: Change): void {
    const file = this.#file(change.file);
    file.pending.push({ nth: this.#applied, change });
    file.content = changed(file.content, change);
  }

  /** Any of the names' changes may be there without the others: the worst that a file system without a journal does. */
  #namesAfter(fate: Fate): Files {
    if (fate === "there") return this.#names;
    const names = new Map(this.#durableNames);
    if (fate === "gone") return names;
    const kept = fate();
    for (const naming of this.#pendingNames) if (fate() < kept) rename(names, naming);
    return names;
  }

  #file(number: number): DiskFile {
    const file = this.#files.get(number);
    if (file === undefined) throw new Error(`There is no file ${number}.`);
    return file;
  }
}

/** What was written after the sync began may still be lost. */
function sync(file: DiskFile, upTo: number): void {
  const isCovered = ({ nth }: { nth: number }): boolean => nth <= upTo;
  for (const { change } of file.pending.filter(isCovered)) file.durable = changed(file.durable, change);
  file.pending = file.pending.filter((one) => !isCovered(one));
}

function rename(names: Files, naming: Naming): void {
  if (naming.kind === "remove") names.delete(naming.name);
  else if (naming.kind === "create") names.set(naming.name, naming.file);
  else {
    names.delete(naming.from);
    names.set(naming.to, naming.file);
  }
}

function contentAfter({ content, durable, pending }: DiskFile, fate: Fate): Buffer {
  if (fate === "there") return content;
  if (fate === "gone" || pending.length === 0) return durable;
  // Now much, now little is lost.
  const kept = fate();
  let result: Buffer = Buffer.from(durable);
  for (const { change } of pending) {
    if (fate() >= kept) continue;
    for (const part of fate() < 0.2 ? torn(change, fate) : [change]) result = changed(result, part);
  }
  return result;
}

/** Some of a write's sectors, in any order. */
function torn(change: Change, random: () => number): Change[] {
  if (change.kind === "truncate") return [change];
  const { data, offset } = change;
  const parts: Change[] = [];
  for (let begin = 0; begin < data.length;) {
    const end = Math.min(data.length, begin + SECTOR - ((offset + begin) % SECTOR));
    if (random() < 0.5) parts.push({ ...change, offset: offset + begin, data: data.subarray(begin, end) });
    begin = end;
  }
  return parts;
}

/** In place where there is room. */
function changed(content: Buffer, change: Change): Buffer {
  if (change.kind === "truncate") return resized(content, change.size);
  const end = change.offset + change.data.length;
  const result = end > content.length ? resized(content, end) : content;
  change.data.copy(result, change.offset);
  return result;
}

function resized(content: Buffer, size: number): Buffer {
  const result = Buffer.alloc(size);
  content.copy(result, 0, 0, Math.min(size, content.length));
  return result;
}
