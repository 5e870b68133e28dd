import type { Update } from "@grammyjs/types";
import {
  keyText,
  type KeptRecord,
  type KeyOf,
  type RecordKey,
  type RecordKind,
  type TimedKind,
} from "../../src/data/record.ts";
import {
  DONE_MEMORY,
  type Acceptance,
  type ChatAlias,
  type EarliestOptions,
  type FailedUpdate,
  type InboxEntry,
  type KeysOptions,
  type OpenUpdatesOptions,
  type TimedRecord,
  type UnitCommit,
} from "../../src/persistence/atomic-persistence.ts";
import type { DoneRange } from "../../src/persistence/done-ranges.ts";

/** All that a {@link RemoteServer} keeps. What stands in the maps is replaced, never changed. */
export interface RemoteState {
  readonly records: Map<string, StoredRecord>;
  readonly aliases: Map<number, number>;
  readonly bots: Map<number, BotState>;
  arrivals: number;
}

interface StoredRecord {
  readonly key: RecordKey;
  readonly record: KeptRecord;
}

interface BotState {
  readonly inbox: Map<number, StoredUpdate>;
  /** When each update was done, in milliseconds since 1970. */
  readonly done: Map<number, number>;
  readonly failed: FailedUpdate[];
}

interface StoredUpdate {
  readonly arrival: number;
  readonly attempts: number;
  readonly update: Update;
}

/** For whom something is done, and when. */
export interface Sender {
  readonly botId: number;
  readonly now: number;
}

export function emptyState(): RemoteState {
  return { records: new Map(), aliases: new Map(), bots: new Map(), arrivals: 0 };
}

/** A state that may be changed without this one being changed. */
export function fork({ records, aliases, bots, arrivals }: RemoteState): RemoteState {
  const botCopies = [...bots].map(([id, { inbox, done, failed }]): [number, BotState] => [
    id,
    { inbox: new Map(inbox), done: new Map(done), failed: [...failed] },
  ]);
  return { records: new Map(records), aliases: new Map(aliases), bots: new Map(botCopies), arrivals };
}

export function readRecords({ records }: RemoteState, keys: readonly RecordKey[]): (KeptRecord | undefined)[] {
  return keys.map((key) => records.get(keyText(key))?.record);
}

export function listKeys<Kind extends RecordKind>(
  state: RemoteState,
  kind: Kind,
  { within, of, after, limit }: KeysOptions<Kind>,
): KeyOf<Kind>[] {
  return ofKind(state, kind)
    .filter(({ record }) => of === undefined || record[`${of.kind}Id`] === of.id)
    .map(({ key }) => key)
    .filter((key) => within === undefined || nameOf(key) === within)
    .filter((key) => after === undefined || compare(key, after) > 0)
    .sort(compare)
    .slice(0, limit);
}

export function listEarliest(state: RemoteState, kind: TimedKind, { until, limit }: EarliestOptions): TimedRecord[] {
  return ofKind(state, kind)
    .filter((each): each is TimedRecord => each.record.time !== undefined && each.record.time <= until)
    .sort((a, b) => a.record.time - b.record.time)
    .slice(0, limit);
}

export function acceptUpdates(state: RemoteState, sender: Sender, updates: readonly Update[]): Acceptance[] {
  const { inbox, done } = botOf(state, sender);
  return updates.map((update) => {
    const id = update.update_id;
    const doneAt = done.get(id);
    if (doneAt !== undefined && doneAt >= sender.now - DONE_MEMORY) return "done";
    if (inbox.has(id)) return "open";
    state.arrivals += 1;
    inbox.set(id, { arrival: state.arrivals, attempts: 1, update });
    return "accepted";
  });
}

export function listInbox(state: RemoteState, sender: Sender, { after = 0, limit }: OpenUpdatesOptions): InboxEntry[] {
  return [...botOf(state, sender).inbox]
    .map(([updateId, stored]) => ({ updateId, ...stored }))
    .filter(({ arrival }) => arrival > after)
    .sort((a, b) => a.arrival - b.arrival)
    .slice(0, limit);
}

export function setAttempts(state: RemoteState, sender: Sender, updateId: number, attempts: number): boolean {
  const { inbox } = botOf(state, sender);
  const stored = inbox.get(updateId);
  if (stored !== undefined) inbox.set(updateId, { ...stored, attempts });
  return stored !== undefined;
}

export function listFailed(state: RemoteState, sender: Sender): readonly FailedUpdate[] {
  return botOf(state, sender).failed;
}

export function listAliases({ aliases }: RemoteState): ChatAlias[] {
  return [...aliases].map(([from, to]) => ({ from, to }));
}

export function listDone(state: RemoteState, sender: Sender): DoneRange[] {
  return [...botOf(state, sender).done].map(([id, at]) => ({ first: id, last: id, since: at, until: at }));
}

export function applyUnits(state: RemoteState, sender: Sender, units: readonly UnitCommit[]): void {
  for (const unit of units) {
    for (const { key, record } of unit.changes) {
      if (record === undefined) state.records.delete(keyText(key));
      else state.records.set(keyText(key), { key, record });
    }
    if (unit.alias) state.aliases.set(unit.alias.from, unit.alias.to);
    markDone(botOf(state, sender), sender.now, unit);
  }
}

function markDone({ inbox, done, failed }: BotState, now: number, unit: UnitCommit): void {
  for (const [id, at] of done) if (at < now - DONE_MEMORY) done.delete(id);
  for (const { first, last, until } of unit.doneUpdates ?? []) {
    for (let id = first; id <= last; id += 1) {
      done.set(id, until);
      inbox.delete(id);
    }
  }
  for (const each of unit.failedUpdates ?? []) {
    const isSame = ({ update, failedAt }: FailedUpdate): boolean =>
      update.update_id === each.update.update_id && failedAt === each.failedAt;
    if (!failed.some(isSame)) failed.push(each);
  }
  if (unit.done === undefined) return;
  const stored = inbox.get(unit.done);
  if (unit.setAside === true && stored !== undefined) {
    failed.push({ update: stored.update, attempts: stored.attempts, failedAt: now });
  }
  inbox.delete(unit.done);
  done.set(unit.done, now);
}

function botOf({ bots }: RemoteState, { botId }: Sender): BotState {
  const known = bots.get(botId) ?? { inbox: new Map(), done: new Map(), failed: [] };
  bots.set(botId, known);
  return known;
}

function ofKind<Kind extends RecordKind>(
  { records }: RemoteState,
  kind: Kind,
): { readonly key: KeyOf<Kind>; readonly record: KeptRecord }[] {
  const all = [...records.values()];
  return all.filter((each): each is { key: KeyOf<Kind>; record: KeptRecord } => each.key.kind === kind);
}

function nameOf(key: RecordKey): string | undefined {
  if (key.kind === "conversation") return key.name;
  return key.kind === "entry" ? key.collection : undefined;
}

function compare(a: RecordKey, b: RecordKey): number {
  const [first, second] = [placeOf(a), placeOf(b)];
  const index = first.findIndex((part, at) => part !== second[at]);
  if (index === -1) return 0;
  return (first[index] as string | number) < (second[index] as string | number) ? -1 : 1;
}

/** Where a key stands among those of its kind: what is compared first, and then. */
function placeOf(key: RecordKey): readonly (string | number)[] {
  if (key.kind === "bot") return [];
  if (key.kind === "conversation") return [key.name, JSON.stringify(key.id)];
  return key.kind === "entry" ? [key.collection, key.id] : [key.id];
}
