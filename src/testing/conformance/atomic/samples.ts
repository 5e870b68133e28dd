import type { Update } from "@grammyjs/types";
import type { FoundBy, KeptRecord, KeyOf, RecordChange, RecordKey, RecordKind } from "../../../data/record.ts";
import type { AtomicPersistence, UnitCommit } from "../../../persistence/atomic-persistence.ts";
import { keyText } from "../../../data/record.ts";
import { GROUP } from "../plain/slots.ts";

/** One key of each kind. */
export const KEYS: { readonly [Kind in RecordKind]: KeyOf<Kind> } = {
  bot: { kind: "bot" },
  chat: { kind: "chat", id: GROUP },
  user: { kind: "user", id: 42 },
  conversation: { kind: "conversation", name: "order", id: [GROUP, 42] },
  keyboard: { kind: "keyboard", id: "Kx-1_a" },
  callbackQuery: { kind: "callbackQuery", id: "12345678901234567890" },
  entry: { kind: "entry", collection: "products", id: "tea/green" },
  job: { kind: "job", id: "remind 42" },
};

/** The kinds whose records have a time. */
export const TIMED: readonly RecordKind[] = ["keyboard", "callbackQuery", "job"];

/** A chat's key. */
export const chat = (id: number): KeyOf<"chat"> => ({ kind: "chat", id });

/** A user's key. */
export const user = (id: number): KeyOf<"user"> => ({ kind: "user", id });

/** A job's key. */
export const job = (id: string): KeyOf<"job"> => ({ kind: "job", id });

/** A new content for this record: something of the shape of its kind that says `content`, as the codec writes it. */
export function put(
  persistence: AtomicPersistence,
  key: RecordKey,
  content: unknown,
  { version = 0, ...foundBy }: { version?: number } & FoundBy = {},
): RecordChange {
  const text = persistence.codec.encode(valueOf(key, content));
  return { key, record: plain({ text, version, ...foundBy }) };
}

/** The end of this record. */
export const removed = (key: RecordKey): RecordChange => ({ key, record: undefined });

function valueOf({ kind }: RecordKey, content: unknown): unknown {
  if (kind === "conversation") return { state: content };
  return kind === "callbackQuery" ? String(content) : { content };
}

/** An update as Telegram sends it, with things in it that are easily lost. */
export function update(id: number): Update {
  return {
    update_id: id,
    message: {
      message_id: id,
      date: 1_700_000_000,
      chat: { id: GROUP, type: "supergroup", title: "Gärtner 👩‍🌾" },
      from: { id: 42, is_bot: false, first_name: "Ann" },
      text: 'a "quoted" \\ text\u0000\u2028',
      not_in_any_type_yet: { a: [null, 1.5, ""] },
    },
  } as unknown as Update;
}

export const updates = (...ids: number[]): Update[] => ids.map(update);

/** A unit of work that changes these records. */
export const changing = (...changes: RecordChange[]): UnitCommit => ({ changes });

/** The contents of these records, with nothing in them that is `undefined`. */
export async function read(persistence: AtomicPersistence, ...keys: RecordKey[]): Promise<(KeptRecord | undefined)[]> {
  return (await persistence.read(keys)).map((record) => record && plain(record));
}

/** The record, with nothing in it that is `undefined`. */
export function plain({ text, version, time, chatId, userId }: KeptRecord): KeptRecord {
  const foundBy = Object.entries({ time, chatId, userId }).filter(([, value]) => value !== undefined);
  return { text, version, ...Object.fromEntries(foundBy) };
}

/** The contents that were committed, as {@link read} gives them. */
export const contents = (...changes: RecordChange[]): (KeptRecord | undefined)[] => changes.map(({ record }) => record);

/** The ids of the updates that are open, in order of arrival. */
export async function openIds(persistence: AtomicPersistence): Promise<number[]> {
  return (await persistence.openUpdates({ limit: 1000 })).map(({ updateId }) => updateId);
}

/** Keys as texts, to compare and to tell. */
export const texts = (keys: readonly RecordKey[]): string[] => keys.map(keyText);
