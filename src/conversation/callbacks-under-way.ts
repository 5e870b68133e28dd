import type { ConversationParties } from "./conversation-id.ts";

/** The conversations whose callbacks are under way without their turn. In memory only: what a crash cuts off runs again. */
export class CallbacksUnderWay {
  readonly #keyOf: (parties: ConversationParties) => string;
  readonly #parties = new Set<ConversationParties>();

  /** `keyOf` tells conversations apart: by the ids of now, since a chat may move meanwhile. */
  constructor(keyOf: (parties: ConversationParties) => string) {
    this.#keyOf = keyOf;
  }

  /** Notes one, until what is returned is called. */
  begin(parties: ConversationParties): () => void {
    const own = { ...parties };
    this.#parties.add(own);
    return () => this.#parties.delete(own);
  }

  has(parties: ConversationParties): boolean {
    if (this.#parties.size === 0) return false;
    const key = this.#keyOf(parties);
    return [...this.#parties].some((other) => this.#keyOf(other) === key);
  }
}
