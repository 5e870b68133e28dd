import { isDeepStrictEqual } from "node:util";
import { SERVICE_ACCOUNTS } from "../../../src/engine/scopes-of-update.ts";
import { Violation } from "../violation.ts";
import { Concluded, type Change } from "./concluded.ts";
import type { Effect } from "./effect.ts";
import { JOB, jobText, type JobState } from "./job-state.ts";
import { TALK, talkText, type TalkState } from "./talk-state.ts";
import { resolveChat, type Kept, type SentUpdate } from "./kept.ts";

/** What is kept for a chat, a user or the bot in a history. */
export type Value = Record<string, unknown>;

/** The value of a record that does not exist yet. */
export const initialValue = (): Value => ({ n: 0 });

/** What the keys of entries begin with. */
export const ENTRY = "entry:";

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
  /** The job that it is about, if it is a run of one, or notes something about one. */
  readonly job?: string | undefined;
}

/** A record in a unit of work. */
interface Loaded {
  /** What it began with; where several are possible, until it has looked, the newest. */
  text: string | undefined;
  possible: ReadonlySet<string | undefined>;
  /** Whether it was dropped: then what is changed later begins anew. */
  isDropped?: boolean;
  /** Its value, once it was looked at or assigned. */
  touched?: { value: Value | undefined };
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
  /** The records that it touches beyond those of its turn. */
  readonly late: Map<string, "wanted" | "owned"> = new Map();
  /** Whether it runs alone, and so waits for everybody. */
  isAlone = false;
  /** The run of a job that it is: the job as it was, and for which moment it runs. */
  jobRun: { readonly before: JobState; readonly scheduled: number; readonly attempt: number } | undefined;
  /** What takes back that a run was noted, if a stop gives that run up. */
  undo: Effect | undefined;
  /** Why it is rolled back, whatever its handlers do. */
  doom: { readonly error: unknown } | undefined;
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
    const { job } = this.subject;
    return [...turnKeys(this.subject, this.subject.update, kept), ...(job === undefined ? [] : [JOB + job])];
  }

  /** It begins, with the records of now. `recent` are the values of a moment ago, where a commit may be on its way. */
  begin(kept: Kept, recent: ReadonlyMap<string, ReadonlySet<string | undefined>>): void {
    for (const key of [...this.keys(kept, "chat"), ...this.keys(kept, "user")]) {
      const text = kept.records.get(key);
      const possible = new Set([text, ...(isShared(key) ? (recent.get(key) ?? []) : [])]);
      this.#loaded.set(key, { text, possible });
    }
    const { job } = this.subject;
    if (job !== undefined) this.#take(JOB + job, kept);
    this.#botView = new Set([kept.records.get("bot"), ...(recent.get("bot") ?? [])]);
    this.phase = "running";
  }

  /** A further record is its own from now on. */
  take(key: string, kept: Kept): void {
    this.late.set(key, "owned");
    if (key !== "bot" && !this.has(key)) this.#take(key, kept);
  }

  /** The keys of its own records. */
  get ownKeys(): readonly string[] {
    return [...this.#loaded.keys()];
  }

  /** Whether a record is its own. */
  has(key: string): boolean {
    return this.#loaded.has(key);
  }

  /** A record of its own as it would be kept now; `undefined` if it is not. */
  own(key: string): { readonly value: Value | undefined } | undefined {
    const loaded = this.#loaded.get(key);
    return loaded && (loaded.touched ?? { value: valueOf(key, baseOf(loaded)) });
  }

  /** Whether there would be a record now. */
  isThere(key: string): boolean {
    return this.own(key)?.value !== undefined;
  }

  /** Compares what a handler sees with what it must see, and gives the model's own value, to do the same to it. */
  look(key: string, seen: unknown): Value | undefined {
    const loaded = this.#loaded.get(key);
    if (loaded === undefined) throw new Violation(`${this.subject.name} sees ${key}, which is not its own`);
    if (loaded.touched === undefined) {
      if (loaded.isDropped !== true) {
        const text = [...loaded.possible].find((possible) => isDeepStrictEqual(valueOf(key, possible), seen));
        loaded.text = text ?? (loaded.possible.has(undefined) ? undefined : loaded.text);
      }
      loaded.touched = { value: valueOf(key, baseOf(loaded)) };
    }
    this.#require(key, loaded.touched.value, seen);
    return loaded.touched.value;
  }

  /** A record of its own is kept like this by now: what follows is a change of that. */
  note(key: string, text: string): void {
    const loaded = this.#loaded.get(key);
    if (loaded === undefined) return;
    loaded.text = text;
    loaded.possible = new Set([text]);
    delete loaded.touched;
  }

  assign(key: string, value: Value): void {
    const loaded = this.#loaded.get(key);
    if (loaded !== undefined) loaded.touched = { value };
  }

  /** The record is removed, until it is touched again. */
  drop(key: string): void {
    const loaded = this.#loaded.get(key);
    if (loaded === undefined) return;
    loaded.isDropped = true;
    delete loaded.touched;
  }

  /** The bot's data as a handler sees it, read-only. */
  lookAtBot(seen: unknown): void {
    if ([...this.#botView].some((text) => isDeepStrictEqual(valueOf("bot", text), seen))) return;
    this.#require("bot", valueOf("bot", [...this.#botView][0]), seen);
  }

  /** The bot's data as it is given to a change. What the change makes of it is told to {@link UnitModel.changeBot}. */
  takeBot(kept: Kept, seen: unknown): Value {
    const newest = kept.records.get("bot");
    this.#bot ??= { before: newest, text: newest, isChanged: false };
    const value = valueOf("bot", this.#bot.text) as Value;
    this.#botView = new Set([this.#bot.text]);
    this.#require("bot", value, seen);
    return value;
  }

  changeBot(value: Value): void {
    const text = JSON.stringify(value);
    if (this.#bot === undefined || text === JSON.stringify(valueOf("bot", this.#bot.text))) return;
    this.#bot = { ...this.#bot, text, isChanged: true };
    this.#botView = new Set([text]);
  }

  /** Its handlers are over: what must become of the file. */
  end({ threw }: UnitEnd, onHandlerError: "rollback" | "keep", now: number): Concluded {
    const { name, update } = this.subject;
    this.phase = "ended";
    this.endedAt = now;
    const failure = threw ?? this.doom;
    if (failure !== undefined) this.errors.push((error) => error === failure.error);
    const isFailed = threw !== undefined && (onHandlerError === "rollback" || update === undefined);
    const isRolledBack = isFailed || this.doom !== undefined;
    const isKept = !isRolledBack && this.#canBeKept(threw !== undefined);
    const changes = isKept ? this.#changes() : [];
    const isRefused = changes.some(({ after }) => after?.includes(REFUSED));
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
    this.concluded?.conflicted === true &&
    // It owns what stands for everybody when it ends: then waiting for it may be a cycle too.
    (hasCode("PERDURE_CONFLICT")(error) || hasCode("PERDURE_DEADLOCK")(error));

  #canBeKept(hasThrown: boolean): boolean {
    const values = Array.from(this.#loaded.values(), ({ touched }) => touched?.value);
    const isSpoiled = values.some((value) => value !== undefined && UNKEEPABLE in value);
    if (isSpoiled && !hasThrown) this.errors.push(hasCode("PERDURE_CANNOT_KEEP"));
    return !isSpoiled;
  }

  #changes(): Change[] {
    const changes: Change[] = [];
    for (const [key, loaded] of this.#loaded) {
      const [before, after] = [loaded.text, afterOf(key, loaded)];
      // What it has owned since it touched it, nobody else has changed.
      if (after !== before) changes.push({ key, before, after, isShared: isShared(key) && !this.late.has(key) });
    }
    const bot = this.#bot;
    if (bot?.isChanged === true && bot.text !== undefined) {
      changes.push({ key: "bot", before: bot.before, after: bot.text, isShared: false });
    }
    return changes;
  }

  #take(key: string, { records }: Kept): void {
    this.#loaded.set(key, { text: records.get(key), possible: new Set([records.get(key)]) });
  }

  #require(key: string, expected: Value | undefined, seen: unknown): void {
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

/** What is kept of a record that was only looked at, as of one that was not touched. */
function afterOf(key: string, loaded: Loaded): string | undefined {
  const base = baseOf(loaded);
  if (loaded.touched === undefined) return base;
  const text = textOf(key, loaded.touched.value);
  return text === textOf(key, valueOf(key, base)) ? base : text;
}

function textOf(key: string, value: Value | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (key.startsWith(TALK)) return talkText(value as unknown as TalkState);
  return key.startsWith(JOB) ? jobText(value as unknown as JobState) : JSON.stringify(value);
}

function baseOf({ text, isDropped }: Loaded): string | undefined {
  return isDropped === true ? undefined : text;
}

/** Whether a record stands for everybody, so that nobody has a turn for it. */
function isShared(key: string): boolean {
  const [kind, id] = key.split(":");
  return kind === "user" && SERVICE_ACCOUNTS.has(Number(id));
}

/** The value of a record. An entry or a job that does not exist has none. */
export function valueOf(key: string, text: string | undefined): Value | undefined {
  if (text !== undefined) return JSON.parse(text) as Value;
  return [ENTRY, JOB, TALK].some((kind) => key.startsWith(kind)) ? undefined : initialValue();
}

export function hasCode(code: string): (error: unknown) => boolean {
  return (error) => (error as { code?: unknown } | null)?.code === code;
}
