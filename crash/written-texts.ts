import type { KeptData } from "./kept-data.ts";

/** How what is kept differs from what was written. */
export interface Faults {
  /** Texts that were written and are in no chat's data. */
  readonly lost: number;
  /** Texts that are in their chat's data more than once. */
  readonly twice: number;
  /** Chats whose texts stand in another order. */
  readonly misordered: number;
}

interface Written {
  readonly chat: number;
  readonly user: number;
}

/** What people have written, and so what a bot is to keep. */
export class WrittenTexts {
  readonly #texts = new Map<string, Written>();

  get count(): number {
    return this.#texts.size;
  }

  /** Who wrote what. */
  get all(): ReadonlyMap<string, Written> {
    return this.#texts;
  }

  /** Notes a text that nobody has written yet, and returns it. */
  add(written: Written): string {
    const text = `text ${this.#texts.size + 1}`;
    this.#texts.set(text, written);
    return text;
  }

  /** What is wrong once every update is done. */
  faults({ chats }: KeptData): Faults {
    let [lost, twice, misordered] = [0, 0, 0];
    for (const [chat, written] of this.#byChat()) {
      const found = chats.get(chat) ?? [];
      const once = new Set(found);
      const present = written.filter((text) => once.has(text));
      lost += written.length - present.length;
      twice += found.length - once.size;
      misordered += Number([...once].some((text, index) => text !== present[index]));
    }
    return { lost, twice, misordered };
  }

  /** Parts that are not of one moment, at any time: users and bots with another count than that of the texts in the chats, texts whose update is still open. */
  torn({ chats, users, bot, open }: KeptData): number {
    const texts = [...chats.values()].flat();
    const counts = new Map<number, number>();
    for (const text of texts) {
      const user = this.#texts.get(text)?.user ?? 0;
      counts.set(user, (counts.get(user) ?? 0) + 1);
    }
    const everybody = new Set([...counts.keys(), ...users.keys()]);
    const wrong = [...everybody].filter((user) => (counts.get(user) ?? 0) !== (users.get(user) ?? 0)).length;
    const kept = new Set(texts);
    const both = open.filter((text) => kept.has(text)).length;
    return wrong + both + Number(bot !== undefined && bot !== texts.length);
  }

  #byChat(): Map<number, string[]> {
    const byChat = new Map<number, string[]>();
    for (const [text, { chat }] of this.#texts) byChat.set(chat, [...(byChat.get(chat) ?? []), text]);
    return byChat;
  }
}
