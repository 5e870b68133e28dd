import { BasePersistence, type CallbackData, type ConversationEntry } from "../../src/persistence/base-persistence.ts";
import type { ConversationId } from "../../src/data/record.ts";

/** What a {@link PlainMemory} keeps beyond its own end: texts by names. */
export class Shelf {
  readonly texts: Map<string, string> = new Map();
  readingFails: Error | undefined;
  writingFails: Error | undefined;
}

/**
 * Somebody's own class, as simple as it gets: it loads everything when it is first asked, keeps values in memory, and writes
 * all of them at `flush`.
 */
export class PlainMemory extends BasePersistence {
  protected readonly shelf: Shelf;
  #values: Map<string, string> | undefined;

  constructor(shelf: Shelf) {
    super();
    this.shelf = shelf;
  }

  getBotData(): object | undefined {
    return this.take("bot") as object | undefined;
  }

  async getChatData(): Promise<ReadonlyMap<number, object>> {
    return new Map(this.of("chat").map(([id, value]) => [Number(id), value as object]));
  }

  async getUserData(): Promise<ReadonlyMap<number, object>> {
    return new Map(this.of("user").map(([id, value]) => [Number(id), value as object]));
  }

  getCallbackData(): CallbackData | undefined {
    return this.take("callback") as CallbackData | undefined;
  }

  getConversations(name: string): readonly ConversationEntry[] {
    return this.of(`conversation ${JSON.stringify(name)}`).map(([id, state]) => [
      JSON.parse(id) as ConversationId,
      state,
    ]);
  }

  updateBotData(data: object): void {
    this.put("bot", data);
  }

  updateChatData(chatId: number, data: object): void {
    this.put(`chat ${chatId}`, data);
  }

  updateUserData(userId: number, data: object): void {
    this.put(`user ${userId}`, data);
  }

  updateCallbackData(data: CallbackData): void {
    this.put("callback", data);
  }

  updateConversation(name: string, id: ConversationId, state: unknown): void {
    const place = `conversation ${JSON.stringify(name)} ${JSON.stringify(id)}`;
    if (state === null || state === undefined) this.remove(place);
    else this.put(place, state);
  }

  dropChatData(chatId: number): void {
    this.remove(`chat ${chatId}`);
  }

  dropUserData(userId: number): void {
    this.remove(`user ${userId}`);
  }

  override flush(): void {
    if (this.#values === undefined) return;
    if (this.shelf.writingFails) throw this.shelf.writingFails;
    this.shelf.texts.clear();
    for (const [place, text] of this.#values) this.shelf.texts.set(place, text);
  }

  /** How one value is got, kept and removed. */
  protected take(place: string): unknown {
    const text = this.loaded().get(place);
    return text === undefined ? undefined : this.decode(text);
  }

  protected put(place: string, value: unknown): void {
    this.loaded().set(place, this.encode(value));
  }

  protected remove(place: string): void {
    this.loaded().delete(place);
  }

  protected encode(value: unknown): string {
    return this.codec.encode(value);
  }

  protected decode(text: string): unknown {
    return this.codec.decode(text);
  }

  /** The values whose places begin with this, by the rest of their places. */
  protected of(beginning: string): (readonly [rest: string, value: unknown])[] {
    const all = [...this.loaded()].filter(([place]) => place.startsWith(`${beginning} `));
    return all.map(([place, text]) => [place.slice(beginning.length + 1), this.decode(text)]);
  }

  /** All values by their places, as they are in memory. */
  protected loaded(): Map<string, string> {
    if (this.#values === undefined && this.shelf.readingFails) throw this.shelf.readingFails;
    return (this.#values ??= new Map(this.shelf.texts));
  }
}
