/**
 * Under which keys a storage adapter keeps what: `bot`, `callbackData`, `chat_-1001`, `user_42`, `conversation_registration`, each
 * behind the prefix.
 *
 * The keys are file names on every system, capitals told apart or not: in a conversation handler's name everything but small letters, digits,
 * `-` and `_` is written as `=` and the two digits of each byte, so that `Order/1` is `=4Frder=2F1`.
 */
export class StorageKeys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  get bot(): string {
    return `${this.#prefix}bot`;
  }

  get callbackData(): string {
    return `${this.#prefix}callbackData`;
  }

  data(kind: "chat" | "user", id: number): string {
    return `${this.#prefix}${kind}_${id}`;
  }

  conversations(name: string): string {
    return `${this.#prefix}conversation_${escaped(name)}`;
  }

  /** The id in a key of a chat's or user's data; `undefined` for every other key. */
  idIn(kind: "chat" | "user", key: string): number | undefined {
    const id = Number(this.#after(kind, key));
    return Number.isSafeInteger(id) && this.data(kind, id) === key ? id : undefined;
  }

  /** The name in a key of a handler's conversations; `undefined` for every other key. */
  nameIn(key: string): string | undefined {
    const name = unescaped(this.#after("conversation", key) ?? "");
    return name !== undefined && this.conversations(name) === key ? name : undefined;
  }

  #after(kind: string, key: string): string | undefined {
    const beginning = `${this.#prefix}${kind}_`;
    return key.startsWith(beginning) ? key.slice(beginning.length) : undefined;
  }
}

function escaped(name: string): string {
  if (!name.isWellFormed()) throw new TypeError(`A conversation handler's name must be text: ${JSON.stringify(name)}.`);
  return name.replaceAll(/[^a-z0-9_-]/gu, (character) => {
    return [...Buffer.from(character)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
  });
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("%", "%25").replaceAll("=", "%"));
  } catch {
    return undefined;
  }
}
