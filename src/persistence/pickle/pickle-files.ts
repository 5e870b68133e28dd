import { readFile, realpath, stat } from "node:fs/promises";
import { PerdureError } from "../../errors.ts";
import { fileError } from "./file-errors.ts";
import { PickleDataError } from "./pickle-data-error.ts";
import { PICKLE_KINDS, type PickleKind } from "./pickle-kind.ts";
import { readPickle } from "./reader/read-pickle.ts";
import { replaceFile } from "./replace-file.ts";
import { writePickle } from "./writer/write-pickle.ts";

/** Where a PicklePersistence keeps its data. */
export interface PickleFilesOptions {
  readonly filepath: string;
  /** One file for everything; otherwise one for each kind, with its name behind the path. */
  readonly singleFile: boolean;
  /** A larger file is refused before it is read, in bytes. */
  readonly mostBytes: number;
}

/** What a file was when it was read or written: another program that writes it makes another one of it. */
type Version = string;

const MISSING: Version = "missing";

/** The file or files of a PicklePersistence, as python-telegram-bot names them and lays them out (PTB statements 24 and 25). */
export class PickleFiles {
  readonly #options: PickleFilesOptions;
  readonly #versions = new Map<string, Version>();

  constructor(options: PickleFilesOptions) {
    this.#options = options;
  }

  /** What stands in them. A kind of which there is no file, or nothing in the file, is missing. */
  async read(): Promise<ReadonlyMap<string, unknown>> {
    this.#versions.clear();
    const { filepath, singleFile } = this.#options;
    if (singleFile) {
      const root = await this.#readFile(filepath);
      return root === undefined ? new Map() : rootIn(root, filepath);
    }
    const found = new Map<string, unknown>();
    for (const kind of PICKLE_KINDS) {
      const root = await this.#readFile(this.#fileOf(kind));
      if (root !== undefined) found.set(kind, root);
    }
    return found;
  }

  /** Writes what there is now, where kinds have changed: all of a single file, or the files of these kinds. */
  async write(content: ReadonlyMap<string, unknown>, changed: ReadonlySet<PickleKind>): Promise<void> {
    if (changed.size === 0) return;
    if (this.#options.singleFile) return this.#writeFile(this.#options.filepath, content);
    for (const kind of PICKLE_KINDS) {
      if (changed.has(kind)) await this.#writeFile(this.#fileOf(kind), content.get(kind));
    }
  }

  /** The files of other kinds, or the file, as they are called in errors. */
  #fileOf(kind: PickleKind): string {
    return `${this.#options.filepath}_${kind}`;
  }

  async #readFile(file: string): Promise<unknown> {
    try {
      const version = await versionOf(file);
      this.#versions.set(file, version);
      if (version === MISSING) return undefined;
      await this.#requireSize(file);
      return readPickle(await readFile(file));
    } catch (error) {
      throw fileError(error, file, "read");
    }
  }

  async #requireSize(file: string): Promise<void> {
    const { mostBytes } = this.#options;
    const { size } = await stat(file);
    if (size <= mostBytes) return;
    throw new PerdureError(
      "PERDURE_REFUSED",
      `${file} has ${size} bytes, more than ${mostBytes}. Reading it takes many times its size in memory; raise limits.bytes if that is meant.`,
    );
  }

  async #writeFile(file: string, root: unknown): Promise<void> {
    try {
      const target = await realpath(file).catch(() => file);
      if ((await versionOf(file)) !== this.#versions.get(file)) throw changedByAnother(file);
      await replaceFile(target, writePickle(root));
      this.#versions.set(file, await versionOf(file));
    } catch (error) {
      throw fileError(error, file, "write");
    }
  }
}

/** Only a file that is not there is empty (PTB statement 29): everything else that goes wrong is an error. */
async function versionOf(file: string): Promise<Version> {
  try {
    const { ino, size, mtimeNs } = await stat(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return MISSING;
    throw error;
  }
}

function rootIn(root: unknown, file: string): ReadonlyMap<string, unknown> {
  const missing = ["user_data", "chat_data", "conversations"].filter(
    (kind) => !(root instanceof Map) || !root.has(kind),
  );
  if (root instanceof Map && missing.length === 0) return root as Map<string, unknown>;
  const what = root instanceof Map ? `it has no ${missing.join(", no ")}` : "what is in it is no dict";
  throw fileError(new PickleDataError("not understood", what), file, "read");
}

function changedByAnother(file: string): PerdureError {
  return new PerdureError(
    "PERDURE_OWNED",
    `${file} was changed by another program since it was read, perhaps by the Python bot. It was left as it is: stop one of the two, and start anew.`,
  );
}
