import type { RecordKey } from "../data/record.ts";
import { PerdureError } from "../errors.ts";
import type { Conversation } from "./conversation.ts";

const UNNAMED = "\0";

/** The conversations of an application, by their names. */
export class Conversations<C, T> {
  readonly #conversations = new Map<string, Conversation<C, T>>();
  readonly #transient = new Set<string>();
  #unnamed = 0;

  /** The name of a conversation without one: none that a user could give. */
  nextName(): string {
    this.#unnamed += 1;
    return `${UNNAMED}${this.#unnamed}`;
  }

  /** Whether a name is one of those, also of an earlier process. */
  isUnnamed(name: string): boolean {
    return name.startsWith(UNNAMED);
  }

  /** Throws `PERDURE_INVALID_OPTION` where there is one with the same name: they would share their states. */
  add(conversation: Conversation<C, T>, { isPersistent }: { isPersistent: boolean }): void {
    const { name } = conversation.parts;
    if (this.#conversations.has(name)) {
      throw new PerdureError(
        "PERDURE_INVALID_OPTION",
        `There is a conversation named ${JSON.stringify(name)} already. Its states are kept by its name, so each needs one of its own.`,
      );
    }
    this.#conversations.set(name, conversation);
    if (!isPersistent) this.#transient.add(name);
  }

  get(name: string): Conversation<C, T> | undefined {
    return this.#conversations.get(name);
  }

  /** Whether a record lives in memory only: a state of a conversation that is not persistent. */
  isTransient(key: RecordKey): boolean {
    return key.kind === "conversation" && this.#transient.has(key.name);
  }
}
