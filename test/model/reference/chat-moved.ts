import type { Effect } from "./effect.ts";
import type { FileContent } from "./file-content.ts";
import { JOB, jobOf, jobText } from "./job-state.ts";
import { resolveChat, type Kept, type Migration } from "./kept.ts";
import { TALK, talkKey, talkOf, talkText } from "./talk-state.ts";

/** What a merge of two chats' data makes. */
export type Merge = (old: never, fresh: never) => unknown;

/** All that is kept for a group moves to the supergroup, in one commit, in the turn of an update that announces it. */
export class ChatMoved implements Effect {
  readonly what: string;
  kind = "a chat moves";
  readonly #migration: Migration;
  readonly #merge: Merge | undefined;
  readonly #hasTurn: () => boolean;

  constructor(migration: Migration, merge: Merge | undefined, hasTurn: () => boolean) {
    this.what = `the migration of ${migration.from} to ${migration.to}`;
    this.#migration = migration;
    this.#merge = merge;
    this.#hasTurn = hasTurn;
  }

  shows(file: FileContent, kept: Kept): boolean | "moot" {
    const { from } = this.#migration;
    if (kept.aliases.has(from)) return "moot";
    return file.aliases.has(from) && this.#hasTurn();
  }

  happen(kept: Kept): void {
    const { from } = this.#migration;
    const to = resolveChat(this.#migration.to, kept);
    const old = kept.records.get(`chat:${from}`);
    const fresh = kept.records.get(`chat:${to}`);
    if (old !== undefined) {
      if (fresh !== undefined)
        this.kind = `a chat moves to one that has data${this.#merge === undefined ? "" : ", merged"}`;
      kept.records.set(`chat:${to}`, fresh === undefined ? old : this.#merged(old, fresh));
      kept.records.delete(`chat:${from}`);
    }
    for (const [key, text] of kept.records) {
      const job = key.startsWith(JOB) ? jobOf(text) : undefined;
      if (job?.chat === from) kept.records.set(key, jobText({ ...job, chat: to }));
    }
    for (const [key, text] of kept.records) {
      const talk = key.startsWith(TALK) ? talkOf(text) : undefined;
      if (talk?.chat !== from) continue;
      kept.records.delete(key);
      kept.records.set(talkKey(to, talk.user), talkText({ ...talk, chat: to }));
    }
    kept.aliases.set(from, to);
  }

  #merged(old: string, fresh: string): string {
    if (this.#merge === undefined) return old;
    return JSON.stringify(this.#merge(JSON.parse(old) as never, JSON.parse(fresh) as never));
  }
}
