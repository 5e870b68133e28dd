import type * as sqlite from "node:sqlite";
import type { Written } from "./job.ts";

/** A page's header in the log. */
const FRAME_HEADER = 24;

type Database = sqlite.DatabaseSync;

/**
 * Asks SQLite itself what a contender writes, on the contender's own connection. To be made before that connection,
 * which is made by asking Node for `node:sqlite`.
 *
 * Checkpoints are put off while it counts: so the log holds all that was written, and a checkpoint tells how many pages.
 */
export class WrittenCount {
  #writer: Database | undefined;
  #rows = 0;

  constructor() {
    const builtin = process.getBuiltinModule("node:sqlite");
    const keep = (database: Database): void => void (this.#writer = database);
    const Original = builtin.DatabaseSync;
    builtin.DatabaseSync = class extends Original {
      constructor(path: string, options: sqlite.DatabaseSyncOptions = {}) {
        super(path, options);
        if (options.readOnly !== true && !path.endsWith("-lock")) keep(this);
      }
    };
  }

  /** Counts from here. */
  begin(): void {
    this.#ask("pragma wal_autocheckpoint = 0");
    this.#ask("pragma wal_checkpoint(truncate)");
    this.#rows = this.#totalChanges();
  }

  /** What was written since. */
  perUpdate(updates: number): Written {
    const rows = this.#totalChanges() - this.#rows;
    const pageSize = Number(this.#ask("pragma page_size")?.["page_size"]);
    const pages = Number(this.#ask("pragma wal_checkpoint(passive)")?.["log"]);
    return { rows: rows / updates, pages: pages / updates, bytes: (pages * (pageSize + FRAME_HEADER)) / updates };
  }

  #totalChanges(): number {
    return Number(this.#ask("select total_changes() as n")?.["n"]);
  }

  #ask(sql: string): Record<string, unknown> | undefined {
    if (this.#writer === undefined) throw new Error("This contender has no SQLite connection to ask.");
    return this.#writer.prepare(sql).get();
  }
}
