import type { Update } from "@grammyjs/types";
import { keyName } from "../data/record.ts";
import type { KeptValue } from "../engine/kept-value.ts";
import { PerdureError } from "../errors.ts";
import type { ConversationParties, KeySettings } from "./conversation-id.ts";
import { END } from "./special-states.ts";

/** When a conversation times out, and what its `TIMEOUT` handlers are to be told. */
export interface KeptTimeout {
  /** The id of its job. It stays the same when the chat moves, and so the id of the conversation changes. */
  readonly job: string;
  /** In milliseconds since 1970. */
  readonly due: number;
  /** The last update that was handled, if there are handlers for it. */
  readonly update?: Update | undefined;
}

interface Kept {
  readonly state: unknown;
  /** The handler's `version` when the state was set; absent for 0. */
  readonly version?: number;
  readonly timeout?: KeptTimeout;
}

/** One conversation's record in one unit of work. What is kept as something else throws `PERDURE_CANNOT_DECODE`. */
export class KeptConversation {
  readonly #value: KeptValue;

  constructor(value: KeptValue) {
    this.#value = value;
  }

  /** `undefined` when there is no conversation. */
  get state(): unknown {
    const { state } = this.#kept ?? {};
    // An ended one may have been stored as such elsewhere (PTB statements 157, 158).
    return state === null || state === END ? undefined : state;
  }

  get version(): number {
    return this.#kept?.version ?? 0;
  }

  get timeout(): KeptTimeout | undefined {
    return this.#kept?.timeout;
  }

  set timeout(timeout: KeptTimeout | undefined) {
    const { timeout: _, ...others } = this.#kept as Kept;
    this.#value.set({ ...others, ...(timeout === undefined ? {} : { timeout }) });
  }

  /** Sets the state, and whose conversation it is. */
  put(state: unknown, version: number, { perChat, perUser }: KeySettings, { chat, user }: ConversationParties): void {
    const { timeout } = this;
    const kept: Kept = {
      state,
      ...(version === 0 ? {} : { version }),
      ...(timeout === undefined ? {} : { timeout }),
    };
    this.#value.set(kept);
    this.#value.foundBy = { ...(perChat ? { chatId: chat } : {}), ...(perUser ? { userId: user } : {}) };
  }

  end(): void {
    if (this.#value.current !== undefined) this.#value.drop();
  }

  get #kept(): Kept | undefined {
    const value = this.#value.get();
    if (value === undefined || isKept(value)) return value;
    throw new PerdureError(
      "PERDURE_CANNOT_DECODE",
      `${keyName(this.#value.key)} is kept as something else than { "state": ... }. It is left as it is; mend or delete its row.`,
    );
  }
}

function isKept(value: unknown): value is Kept {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "state");
}
