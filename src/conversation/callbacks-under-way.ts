import type { UnitOfWork } from "../engine/unit-of-work.ts";
import type { ConversationParties } from "./conversation-id.ts";

/** The conversations whose callbacks are under way without their turn. In memory only: what a crash cuts off runs again. */
export class CallbacksUnderWay {
  readonly #keyOf: (parties: ConversationParties) => string;
  readonly #underWay = new Set<{ readonly parties: ConversationParties; readonly unit: UnitOfWork }>();

  /** `keyOf` tells conversations apart: by the ids of now, since a chat may move meanwhile. */
  constructor(keyOf: (parties: ConversationParties) => string) {
    this.#keyOf = keyOf;
  }

  /** Notes one, until what is returned is called, or its unit of work is given up by a stop. */
  begin(parties: ConversationParties, unit: UnitOfWork): () => void {
    const one = { parties, unit };
    this.#underWay.add(one);
    return () => this.#underWay.delete(one);
  }

  has(parties: ConversationParties): boolean {
    if (this.#underWay.size === 0) return false;
    const key = this.#keyOf(parties);
    return [...this.#underWay].some(({ parties: other, unit }) => !unit.isOver && this.#keyOf(other) === key);
  }
}
