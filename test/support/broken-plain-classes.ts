import type { CallbackData, ConversationEntry } from "../../src/persistence/base-persistence.ts";
import type { ConversationId } from "../../src/data/record.ts";
import { brokenPlain, type Broken } from "./broken.ts";
import { PlainMemory } from "./plain-memory.ts";

class ReturnsTheLiveObject extends PlainMemory {
  readonly #values = new Map<string, unknown>();

  protected override decode(text: string): unknown {
    if (!this.#values.has(text)) this.#values.set(text, super.decode(text));
    return this.#values.get(text);
  }
}

class KeepsTheGivenObject extends PlainMemory {
  readonly #given = new Map<string, unknown>();

  protected override put(place: string, value: unknown): void {
    super.put(place, value);
    this.#given.set(place, value);
  }

  protected override remove(place: string): void {
    this.#given.delete(place);
    super.remove(place);
  }

  protected override loaded(): Map<string, string> {
    const values = super.loaded();
    for (const [place, value] of this.#given) values.set(place, this.encode(value));
    return values;
  }
}

class KeepsADroppedRecordAsNull extends PlainMemory {
  override dropChatData(id: number): void {
    this.put(`chat ${id}`, null);
  }
}

class KeepsAnEndedConversationAsNull extends PlainMemory {
  override updateConversation(name: string, id: ConversationId, state: unknown): void {
    this.put(`conversation ${JSON.stringify(name)} ${JSON.stringify(id)}`, state);
  }
}

class TakesAReadErrorForEmpty extends PlainMemory {
  protected override loaded(): Map<string, string> {
    try {
      return super.loaded();
    } catch {
      return new Map();
    }
  }
}

class OverwritesWhatItCouldNotRead extends PlainMemory {
  #failed = false;

  protected override loaded(): Map<string, string> {
    try {
      return super.loaded();
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  override flush(): void {
    if (this.#failed) this.shelf.texts.clear();
    super.flush();
  }
}

class KeepsJsonOnly extends PlainMemory {
  protected override encode(value: unknown): string {
    return JSON.stringify(value, (_, each: unknown) => (typeof each === "bigint" ? Number(each) : each));
  }

  protected override decode(text: string): unknown {
    return JSON.parse(text);
  }
}

class AssignsKeys extends PlainMemory {
  protected override decode(text: string): unknown {
    const value = super.decode(text);
    return text.includes("__proto__") ? assigned(value) : value;
  }
}

function assigned(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) copy[key] = assigned(inner);
  return copy;
}

class TakesAFalseStateForNone extends PlainMemory {
  override getConversations(name: string): readonly ConversationEntry[] {
    return super.getConversations(name).filter(([, state]) => Boolean(state));
  }
}

class JoinsIds extends PlainMemory {
  override updateConversation(name: string, id: ConversationId, state: unknown): void {
    super.updateConversation(name, id.join(",").split(","), state);
  }
}

class ReportsAFailedWriteAsDone extends PlainMemory {
  override flush(): void {
    try {
      super.flush();
    } catch {}
  }
}

class ClearsBeforeItWrites extends PlainMemory {
  override flush(): void {
    this.loaded();
    this.shelf.texts.clear();
    super.flush();
  }
}

class RoundsTimes extends PlainMemory {
  override updateCallbackData([keyboards, queries]: CallbackData): void {
    super.updateCallbackData([keyboards.map(([id, time, buttons]) => [id, Math.round(time), buttons]), queries]);
  }
}

class AddsToCallbackData extends PlainMemory {
  override updateCallbackData([keyboards, queries]: CallbackData): void {
    const [oldKeyboards, oldQueries] = this.getCallbackData() ?? [[], {}];
    const ids = new Set(keyboards.map(([id]) => id));
    const others = oldKeyboards.filter(([id]) => !ids.has(id));
    super.updateCallbackData([[...others, ...keyboards], { ...oldQueries, ...queries }]);
  }
}

class DropsAtTheEnd extends PlainMemory {
  readonly #dropped = new Set<number>();

  override dropUserData(id: number): void {
    this.#dropped.add(id);
  }

  override flush(): void {
    for (const id of this.#dropped) super.dropUserData(id);
    super.flush();
  }
}

class RefusesToDropTheUnknown extends PlainMemory {
  override dropUserData(id: number): void {
    if (!this.loaded().has(`user ${id}`)) throw new Error(`no user ${id}`);
    super.dropUserData(id);
  }
}

class MixesChatsAndUsers extends PlainMemory {
  override updateUserData(id: number, data: object): void {
    super.updateUserData(id, data);
    this.put(`chat ${id}`, data);
  }
}

class CutsIds extends PlainMemory {
  override updateChatData(id: number, data: object): void {
    super.updateChatData(id | 0, data);
  }
}

class CountsSeconds extends PlainMemory {
  override get updateInterval(): number {
    return 60;
  }
}

class LoadsNull extends PlainMemory {
  override loadChatData(id: number): object | undefined {
    return (this.take(`chat ${id}`) ?? {}) as object;
  }
}

class FlushesOnce extends PlainMemory {
  #flushed = false;

  override flush(): void {
    if (!this.#flushed) super.flush();
    this.#flushed = this.shelf.texts.size > 0;
  }
}

/** Plain classes with one fault each. */
export const BROKEN_PLAIN_CLASSES: readonly Broken[] = [
  brokenPlain(ReturnsTheLiveObject, ["bot data: a getter returns a copy, no live object (PTB 38, 83)"]),
  brokenPlain(KeepsTheGivenObject, ["user data: an update keeps a copy, no live object (PTB 12, 13)"]),
  brokenPlain(KeepsADroppedRecordAsNull, ["chat data: dropped is gone, not null (PTB 15, 45)"]),
  brokenPlain(KeepsAnEndedConversationAsNull, [
    "conversations: a new state of null removes, and so does undefined (PTB 14, 48)",
  ]),
  brokenPlain(TakesAReadErrorForEmpty, ["a failed read rejects and is not taken for empty (PTB 29)"]),
  brokenPlain(OverwritesWhatItCouldNotRead, [
    "a failed read destroys nothing, also when something is written after it (PTB 29, 33)",
  ]),
  brokenPlain(KeepsJsonOnly, [
    "other values: -0, in every kind of data (PTB 12, 13)",
    "other values: undefined as a property, in every kind of data (PTB 12, 13)",
    "other values: what was one object comes back as one, also in a circle (PTB 39)",
  ]),
  brokenPlain(AssignsKeys, ["other values: the keys __proto__ and constructor, in every kind of data (PTB 12, 13)"]),
  brokenPlain(TakesAFalseStateForNone, ["conversations: 0, false and an empty text are states (PTB 141)"]),
  brokenPlain(JoinsIds, ["conversations: ids of different lengths, order and types are different ones (PTB 134)"]),
  brokenPlain(ReportsAFailedWriteAsDone, ["a failed write rejects, and afterwards nothing is lost (PTB 113)"]),
  brokenPlain(ClearsBeforeItWrites, ["a failed write destroys nothing for the next process (PTB 113)"]),
  brokenPlain(RoundsTimes, [
    "callback data: keyboards in order with times in fractions of a second, and queries (PTB 10, 176)",
  ]),
  brokenPlain(AddsToCallbackData, ["callback data: an update replaces all of it (PTB 13)"]),
  brokenPlain(DropsAtTheEnd, ["user data: dropped and updated again is there (PTB 103)"]),
  brokenPlain(RefusesToDropTheUnknown, ["user data: dropping an unknown id does nothing (PTB 15)"]),
  brokenPlain(MixesChatsAndUsers, ["chats and users with the same id are separate (PTB 12)"]),
  brokenPlain(CutsIds, ["ids: negative ones and those of 52 bits (PTB 12)"]),
  brokenPlain(CountsSeconds, ["options: all data is stored, every 60 seconds, unless said otherwise (PTB 1, 2)"]),
  brokenPlain(LoadsNull, ["load: one record is what all of them say, and an unknown one is absent"]),
  brokenPlain(FlushesOnce, [
    "user data: dropped and updated again is there (PTB 103)",
    "a process that is killed while it writes loses nothing older (PTB 122)",
  ]),
];
