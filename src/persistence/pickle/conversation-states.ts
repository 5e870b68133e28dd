import { PythonTuple } from "../../data/python/python-tuple.ts";
import type { ConversationId } from "../../data/record.ts";
import { dictIn } from "./dict-in.ts";
import { PickleDataError } from "./pickle-data-error.ts";

/** One conversation: its key in the file, what that is here, and the description of its state. */
export interface Conversation {
  readonly key: PythonTuple;
  readonly id: ConversationId;
  readonly state: unknown;
}

type OfHandler = Map<string, Conversation>;

/** The conversations of a file by handler, as descriptions. Those whose state is None have ended (PTB statement 48). */
export class ConversationStates {
  readonly #handlers = new Map<string, OfHandler>();

  constructor(root: unknown) {
    for (const [name, conversations] of dictIn(root, "conversations")) {
      if (typeof name !== "string") throw new PickleDataError("not understood", "a name in conversations is no text");
      const handler: OfHandler = new Map();
      for (const [key, state] of dictIn(conversations, `conversations[${JSON.stringify(name)}]`)) {
        const id = idIn(key, name);
        if (state !== null) handler.set(JSON.stringify(id), { key: key as PythonTuple, id, state });
      }
      this.#handlers.set(name, handler);
    }
  }

  of(name: string): Iterable<Conversation> {
    return this.#handlers.get(name)?.values() ?? [];
  }

  get names(): string[] {
    return [...this.#handlers].filter(([, handler]) => handler.size > 0).map(([name]) => name);
  }

  get(name: string, id: ConversationId): Conversation | undefined {
    return this.#handlers.get(name)?.get(JSON.stringify(id));
  }

  set(name: string, id: ConversationId, state: unknown): void {
    const handler: OfHandler = this.#handlers.get(name) ?? new Map();
    this.#handlers.set(name, handler);
    const text = JSON.stringify(id);
    const key = handler.get(text)?.key ?? new PythonTuple([...id]);
    handler.set(text, { key, id: [...id], state });
  }

  /** Answers whether it was there. */
  remove(name: string, id: ConversationId): boolean {
    return this.#handlers.get(name)?.delete(JSON.stringify(id)) ?? false;
  }

  /** As it stands in the file. */
  get root(): Map<string, Map<PythonTuple, unknown>> {
    return new Map(
      Array.from(this.#handlers, ([name, handler]) => [
        name,
        new Map(Array.from(handler.values(), ({ key, state }) => [key, state])),
      ]),
    );
  }
}

function idIn(key: unknown, name: string): ConversationId {
  const items = key instanceof PythonTuple ? key.items : [];
  if (items.length > 0 && items.every(isIdPart)) return [...items];
  throw new PickleDataError("not understood", `a key in conversations[${JSON.stringify(name)}] is no tuple of ids`);
}

export function isIdPart(part: unknown): part is number | string {
  return typeof part === "string" || Number.isSafeInteger(part);
}
