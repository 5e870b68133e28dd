import type { Update } from "@grammyjs/types";
import type { Logger } from "./logger.ts";

/** Which job an error is about. */
export interface JobOrigin {
  readonly id: string;
  readonly name: string;
  /** The name of its definition. */
  readonly definition: string;
  readonly data: unknown;
  readonly chatId: number | undefined;
  readonly userId: number | undefined;
}

/** What an error without a context is about. */
export interface ErrorOrigin {
  /** The update that was being handled or accepted, if it was one. */
  readonly update?: Update | undefined;
  /** The update's id, also where the update itself cannot be read. */
  readonly updateId?: number | undefined;
  /** The job whose run failed, if it was one. */
  readonly job?: JobOrigin | undefined;
}

/** Hears errors that have no context: of accepting, reading and committing, and of calls after a commit. */
export type ErrorListener = (error: unknown, origin: ErrorOrigin) => void | Promise<void>;

/** Takes errors that no handler can be told of to whoever listens; to the log where nobody does. */
export class Reporter {
  readonly logger: Logger;
  readonly #listeners: ErrorListener[] = [];

  constructor(logger: Logger) {
    this.logger = logger;
  }

  onError(listener: ErrorListener): void {
    this.#listeners.push(listener);
  }

  /** Never throws: a listener that fails is logged. */
  report(error: unknown, origin: ErrorOrigin = {}): void {
    if (this.#listeners.length === 0) this.logger.error(describe(error, origin), error);
    for (const listener of this.#listeners) void this.#tell(listener, error, origin);
  }

  async #tell(listener: ErrorListener, error: unknown, origin: ErrorOrigin): Promise<void> {
    try {
      await listener(error, origin);
    } catch (failure) {
      this.logger.error("The function given to onError failed.", failure);
      this.logger.error(describe(error, origin), error);
    }
  }
}

function describe(error: unknown, { update, updateId = update?.update_id, job }: ErrorOrigin): string {
  const message = error instanceof Error ? error.message : String(error);
  if (job !== undefined) return `${message} (job ${job.definition}, id ${job.id})`;
  return updateId === undefined ? message : `${message} (update ${updateId})`;
}
