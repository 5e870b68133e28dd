import { realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isPerdureError } from "../../errors.ts";
import { OwnerLock } from "../owner-lock.ts";
import { fileError } from "./file-errors.ts";
import { PickleContent } from "./pickle-content.ts";
import { PickleFiles, type PickleFilesOptions } from "./pickle-files.ts";
import type { PickleKind } from "./pickle-kind.ts";

/** What files are opened with. */
export interface OpenPickleOptions extends PickleFilesOptions {
  /** How long to wait for another process, in milliseconds. */
  readonly ownerTimeout: number;
}

/** The files of a PicklePersistence while it uses them. */
export class OpenPickle {
  readonly content: PickleContent;
  /** What is not written. */
  readonly changed: Set<PickleKind> = new Set();
  readonly #files: PickleFiles;
  readonly #lock: OwnerLock | undefined;

  private constructor(files: PickleFiles, content: PickleContent, lock: OwnerLock | undefined) {
    this.#files = files;
    this.content = content;
    this.#lock = lock;
  }

  /** Takes the files and reads them. Rejects without having changed anything. */
  static async open(options: OpenPickleOptions): Promise<OpenPickle> {
    const lock = await lockOf(options);
    try {
      const files = new PickleFiles(options);
      return new OpenPickle(files, contentOf(await files.read(), options.filepath), lock);
    } catch (error) {
      lock?.release();
      throw error;
    }
  }

  /** Writes what is not written. When it rejects, it is still not. */
  async write(): Promise<void> {
    await this.#files.write(this.content.roots, this.changed);
    this.changed.clear();
  }

  close(): void {
    this.#lock?.release();
  }
}

function contentOf(roots: ReadonlyMap<string, unknown>, filepath: string): PickleContent {
  try {
    return new PickleContent(roots);
  } catch (error) {
    throw fileError(error, filepath, "read");
  }
}

/** None where there is no right to write beside the file: then the file cannot be written either, and reading does no harm. */
async function lockOf({ filepath, ownerTimeout }: OpenPickleOptions): Promise<OwnerLock | undefined> {
  try {
    return await OwnerLock.acquire(await realPath(filepath), ownerTimeout);
  } catch (error) {
    if (isPerdureError(error, "PERDURE_CANNOT_OPEN") || isPerdureError(error, "PERDURE_READ_ONLY")) return undefined;
    throw error;
  }
}

/** One name for one file, whatever links lead there. */
async function realPath(file: string): Promise<string> {
  const absolute = resolve(file);
  const folder = async (): Promise<string> => realpath(dirname(absolute)).catch(() => dirname(absolute));
  return realpath(absolute).catch(async () => join(await folder(), basename(absolute)));
}
