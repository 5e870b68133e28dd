import { isDeepStrictEqual } from "node:util";
import { SERVICE_ACCOUNTS } from "../../../src/engine/scopes-of-update.ts";
import { Violation } from "../violation.ts";
import { Concluded, type Change } from "./concluded.ts";
import type { Effect } from "./effect.ts";
import { resolveChat, type Kept, type SentUpdate } from "./kept.ts";

/** What is kept for a chat, a user or the bot in a history. */
export type Value = Record<string, unknown>;

/** The value of a record that does not exist yet. */
export const initialValue = (): Value => ({ n: 0 });

/** In a value, what no codec can keep and what the persistence refuses for good. */
export const UNKEEPABLE = "spoiled";
export const REFUSED = "too much";

/** Whom a unit of work is about. */
export interface UnitModelSubject {
  readonly name: string;
  /** In order of arrival. */
  readonly sequence: number;
  readonly update?: SentUpdate | undefined;
  readonly chats: readonly number[];
  readonly users: readonly number[];
}

/** The records that a unit begins with, and what else it may see. */
interface Loaded {
  /** What it began with; where several are possible, until it has looked, none. */
  text: string | undefined;
  possible: ReadonlySet<string | undefined>;
  value?: Value;
}

/** How a unit of work ends. */
export type UnitEnd = { readonly threw?: { readonly error: unknown } };

/** One unit of work in the model: what it sees, what it changes, how it must end. */
export class UnitModel {
  readonly subject: UnitModelSubject;
  phase: "waiting" | "left" | "elsewhere" | "running" | "ended" | "settled" = "waiting";
  /** What may happen to the file before it runs. */
  readonly effects: Effect[] = [];
  /** Whether it had its turn when the bot was told to stop. */
  mayRunOn = false;
  /** Whether its attempt was noted before it ran. */
  noted = false;
  /** What its end does to the file. */
  concluded: Concluded | undefined;
  /** Whether it ended with no more than a done mark, which may come later. */
  isMark = false;
  endedAt = 0;
  /** How many calls it wants after its commit, and how many there were. */
  callsWanted = 0;
  calls = 0;
  keepsCalls = true;
  /** Whether what it rejects with is right. */
  readonly errors: ((error: unknown) => boolean)[] = [];
  readonly #loaded = new Map<string, Loaded>();
  #bot: { before: string | undefined; text: string | undefined; isChanged: boolean } | undefined;
  #botView: ReadonlySet<string | undefined> = new Set();

  constructor(subject: UnitModelSubject) {
    this.subject = subject;
  }

  /** The keys of its records as of now. */
  keys(kept: Kept, scope: "chat" | "user"): string[] {
    const { chats, users } = this.subject;
    const ids = scope === "chat" ? chats.map((id) => resolveChat(id, kept)) : users;
    return [...new Set(ids)].map((id) => `${scope}:${id}`);
  }

  /** The keys of the records whose turn it takes. */
  turnKeys(kept: Kept): string[] {
    return turnKeys(this.subject, this.subject.update, kept);
  }

  /** It begins, with the records of now. `recent` are the values of a moment ago, where a commit may be on its way. */
  begin(kept: Kept, recent: ReadonlyMap<string, ReadonlySet<string | undefined>>): void {
    for (const key of [...this.keys(kept, "chat"), ...this.keys(kept, "user")]) {
      const text = kept.records.get(key);
      const possible = new Set([text, ...(isShared(key) ? (recent.get(key) ?? []) : [])]);
      this.#loaded.set(key, { text, possible });
    }
    this.#botView = new Set([kept.records.get("bot"), ...(recent.get("bot") ?? [])]);
    this.phase = "running";
  }

  /** Compares what a handler sees with what it must see, and gives the model's own value, to do the same to it. */
  look(key: string, seen: unknown): Value {
    const loaded = this.#loaded.get(key);
    if (loaded === undefined) throw new Violation(`${this.subject.name} sees ${key}, which is not its own`);
    if (loaded.value === undefined) {
      const text = [...loaded.possible].find((possible) => isDeepStrictEqual(valueOf(possible), seen));
      loaded.value = valueOf(text);
      loaded.text = text ?? (loaded.possible.has(undefined) ? undefined : loaded.text);
    }
    this.#require(key, loaded.value, seen);
    return loaded.value;
  }

  assign(key: string, value: Value): void {
    const loaded = this.#loaded.get(key);
    if (loaded !== undefined) loaded.value = value;
  }

  /** The bot's data as a handler sees it, read-only. */
  lookAtBot(seen: unknown): void {
    if ([...this.#botView].some((text) => isDeepStrictEqual(valueOf(text), seen))) return;
    this.#require("bot", valueOf([...this.#botView][0]), seen);
  }

  /** The bot's data as it is given to a change. What the change makes of it is told to {@link UnitModel.changeBot}. */
  takeBot(kept: Kept, seen: unknown): Value {
    const newest = kept.records.get("bot");
    this.#bot ??= { before: newest, text: newest, isChanged: false };
    const value = valueOf(this.#bot.text);
    this.#botView = new Set([this.#bot.text]);
    this.#require("bot", value, seen);
    return value;
  }

  changeBot(value: Value): void {
    const text = JSON.stringify(value);
    if (this.#bot === undefined || text === JSON.stringify(valueOf(this.#bot.text))) return;
    this.#bot = { ...this.#bot, text, isChanged: true };
    this.#botView = new Set([text]);
  }

  /** Its handlers are over: what must become of the file. */
  end({ threw }: UnitEnd, onHandlerError: "rollback" | "keep", now: number): Concluded {
    const { name, update } = this.subject;
    this.phase = "ended";
    this.endedAt = now;
    if (threw !== undefined) this.errors.push((error) => error === threw.error);
    const isRolledBack = threw !== undefined && (onHandlerError === "rollback" || update === undefined);
    const isKept = !isRolledBack && this.#canBeKept(threw !== undefined);
    const changes = isKept ? this.#changes() : [];
    const isRefused = changes.some(({ after }) => after.includes(REFUSED));
    if (isRefused) this.errors.push(hasCode("PERDURE_REFUSED"));
    if (changes.some((change) => change.isShared)) this.errors.push(this.#isConflict);
    this.keepsCalls = isKept && !isRefused;
    this.isMark = isKept && changes.length === 0 && this.callsWanted === 0;
    this.concluded = new Concluded(name, changes, update?.id, isRefused);
    return this.concluded;
  }

  get mustFail(): boolean {
    return this.concluded?.conflicted === true || this.errors.some((isRight) => isRight !== this.#isConflict);
  }

  readonly #isConflict = (error: unknown): boolean =>
    this.concluded?.conflicted === true && hasCode("PERDURE_CONFLICT")(error);

  #canBeKept(hasThrown: boolean): boolean {
    const isSpoiled = [...this.#loaded.values()].some(({ value }) => value !== undefined && UNKEEPABLE in value);
    if (isSpoiled && !hasThrown) this.errors.push(hasCode("PERDURE_CANNOT_KEEP"));
    return !isSpoiled;
  }

  #changes(): Change[] {
    const changes: Change[] = [];
    for (const [key, { text: before, value }] of this.#loaded) {
      const after = JSON.stringify(value ?? valueOf(before));
      if (after !== JSON.stringify(valueOf(before))) changes.push({ key, before, after, isShared: isShared(key) });
    }
    const bot = this.#bot;
    if (bot?.isChanged === true && bot.text !== undefined) {
      changes.push({ key: "bot", before: bot.before, after: bot.text, isShared: false });
    }
    return changes;
  }

  #require(key: string, expected: Value, seen: unknown): void {
    if (isDeepStrictEqual(expected, seen)) return;
    const told = `${JSON.stringify(seen)}, must be ${JSON.stringify(expected)}`;
    throw new Violation(`${this.subject.name} sees ${key} as ${told}`);
  }
}

/** The keys of the records whose turns whoever is about these chats and users takes. */
export function turnKeys(
  { chats, users }: Pick<UnitModelSubject, "chats" | "users">,
  update: SentUpdate | undefined,
  kept: Kept,
): string[] {
  const moved = update?.migration === undefined ? [] : [update.migration.from, update.migration.to];
  const ids = [...chats, ...moved].map((id) => resolveChat(id, kept));
  return [
    ...new Set(ids.map((id) => `chat:${id}`)),
    ...users.map((id) => `user:${id}`).filter((key) => !isShared(key)),
  ];
}

function isShared(key: string): boolean {
  const [kind, id] = key.split(":");
  return kind === "user" && SERVICE_ACCOUNTS.has(Number(id));
}

function valueOf(text: string | undefined): Value {
  return text === undefined ? initialValue() : (JSON.parse(text) as Value);
}

export function hasCode(code: string): (error: unknown) => boolean {
  return (error) => (error as { code?: unknown } | null)?.code === code;
}
