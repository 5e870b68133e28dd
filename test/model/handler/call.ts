import type { Collection } from "../../../src/collection/collection.ts";
import { isPerdureError } from "../../../src/errors.ts";
import type { Job } from "../../../src/jobs/job.ts";
import { JOB, newJob, type JobDefinitionName, type JobState, type Rhythm } from "../reference/job-state.ts";
import { resolveChat, type Kept } from "../reference/kept.ts";
import type { Listing } from "../reference/listing.ts";
import type { Model } from "../reference/model.ts";
import { TALK } from "../reference/talk-state.ts";
import { ENTRY, UNKEEPABLE, valueOf, type UnitModel, type Value } from "../reference/unit-model.ts";
import { Violation } from "../violation.ts";

/** The entries of the one collection that there is. */
export const ENTRY_IDS = ["a", "b"] as const;
export type EntryId = (typeof ENTRY_IDS)[number];

/** The ids that jobs have. */
export const JOB_IDS = ["x", "y"] as const;
type JobId = (typeof JOB_IDS)[number];

/** A job to be scheduled. One that runs once does so after `delay`; what it does is its data. */
export interface WantedJob {
  readonly definition: JobDefinitionName;
  readonly rhythm: Rhythm;
  readonly delay: number;
  readonly chat?: number | undefined;
  readonly user?: number | undefined;
  readonly data: unknown;
}

/** What a handler may ask of the application, and the program outside of any handler too. */
export type Call =
  | { readonly do: "get" | "put" | "delete"; readonly entry: EntryId }
  | { readonly do: "drop chat" | "drop user" | "forget user"; readonly id: number }
  | { readonly do: "schedule"; readonly job: JobId; readonly wanted: WantedJob }
  | { readonly do: "look at" | "remove"; readonly job: JobId };

/** What calls are made to. */
export interface CalledApp {
  readonly entries: Collection<Value>;
  drop(scope: "chat" | "user", id: number): Promise<void>;
  forgetUser(id: number): Promise<void>;
  schedule(id: JobId, wanted: WantedJob): Promise<Job>;
  getJob(id: JobId): Promise<Job | undefined>;
}

/** In whose unit of work a call is made: the real one does by itself what the model's does here. */
export interface Caller {
  readonly model: UnitModel;
  readonly reference: Model;
  /** Is in what it writes; no two units of work have the same. */
  readonly token: number;
  /** Settles as the promise does, unless the process has ended by then: then never. */
  readonly unlessDead: <T>(promise: Promise<T>) => Promise<T>;
  /** Whether its real unit of work has touched this job, or this conversation. */
  readonly hasTouched: (key: string) => boolean;
}

/** Calls on one line. */
export function tellCall(call: Call): string {
  if ("entry" in call) return `${call.do} entry ${call.entry}`;
  if ("id" in call) return `${call.do} ${call.id}`;
  if (call.do !== "schedule") return `${call.do} job ${call.job}`;
  const { definition, rhythm, delay, chat, user, data } = call.wanted;
  const owner = `${chat === undefined ? "" : `, chat ${chat}`}${user === undefined ? "" : `, user ${user}`}`;
  const when = rhythm === "once" ? `in ${delay} ms` : rhythm;
  return `schedule job ${call.job} (${definition}, ${when}${owner}): ${JSON.stringify(data)}`;
}

/** The chats and users whose turns a call takes outside of a unit of work. */
export function turnsOf(call: Call): { readonly chats: readonly number[]; readonly users: readonly number[] } {
  const [chats, users] = scopesOf(call);
  return { chats, users };
}

/** Makes the real call. */
export function make(call: Call, app: CalledApp, token: number): Promise<unknown> {
  switch (call.do) {
    case "get":
      return app.entries.get(call.entry);
    case "put":
      return app.entries.set(call.entry, put(token));
    case "delete":
      return app.entries.delete(call.entry);
    case "forget user":
      return app.forgetUser(call.id);
    case "schedule":
      return app.schedule(call.job, call.wanted);
    case "look at":
      return app.getJob(call.job);
    case "remove":
      return remove(call.job, app);
    default:
      return app.drop(call.do === "drop chat" ? "chat" : "user", call.id);
  }
}

async function remove(id: JobId, app: CalledApp): Promise<string> {
  const job = await app.getJob(id);
  const told = tellReal(job);
  await job?.scheduleRemoval();
  return told;
}

/**
 * Makes a call in a unit of work, the real one by `work`, and does in the model what it must have done. `now` is when it was asked for: a unit of work of its
 * own may have waited for its turn since.
 */
export async function call<T>(
  made: Call,
  caller: Caller,
  work: () => Promise<T>,
  now: number = caller.reference.now,
): Promise<T> {
  const sure = keysOf(made, caller);
  const found = (): readonly string[] => {
    // Of what has come meanwhile to belong to somebody, that counts which it has found.
    return keysOf(made, caller).filter((key) => sure.includes(key) || !isBelonging(key) || caller.hasTouched(key));
  };
  // What belongs to somebody else by the time at which it gets it is its own all the same.
  const touched = (): readonly string[] => sure.filter((key) => isBelonging(key) && caller.hasTouched(key));
  const keys = (): readonly string[] => [...new Set([...found(), ...touched()])];
  const result = await owning(keys, caller, work);
  carryOut(made, { ...caller, now }, found(), result);
  return result;
}

/** Does something that owns further records, and looks at how it owns them. */
export async function owning<T>(
  keys: () => readonly string[],
  { model, reference, unlessDead }: Caller,
  work: () => Promise<T>,
): Promise<T> {
  reference.wants(model, keys());
  let result: T;
  try {
    result = await unlessDead(work());
  } catch (error) {
    reference.failedToOwn(model, error);
    throw error;
  }
  reference.owns(model, keys());
  return result;
}

/** Lists the entries, and compares them with those that there may be. */
export async function list(
  { entries }: Pick<CalledApp, "entries">,
  listing: Listing,
  model?: UnitModel,
): Promise<void> {
  const found = new Map<string, unknown>();
  try {
    for await (const [id, value] of entries.entries()) {
      if (found.has(id)) throw new Violation(`entry ${id} is listed twice`);
      found.set(id, value);
    }
  } catch (error) {
    const isSpoiled = ENTRY_IDS.some((id) => {
      const value = model?.own(ENTRY + id)?.value;
      return value !== undefined && UNKEEPABLE in value;
    });
    if (isSpoiled && isPerdureError(error, "PERDURE_CANNOT_KEEP")) return;
    throw error;
  }
  for (const id of new Set([...ENTRY_IDS, ...found.keys()])) listing.require(ENTRY + id, found.get(id), model);
}

type CallerThen = Caller & { readonly now: number };

function carryOut(made: Call, caller: CallerThen, keys: readonly string[], result: unknown): void {
  const { model, token } = caller;
  if ("id" in made) return keys.forEach((key) => model.drop(key));
  if ("job" in made) return carryOutJob(made, caller, result);
  const key = ENTRY + made.entry;
  if (made.do === "put") return model.assign(key, put(token));
  if (made.do === "get") return void model.look(key, result);
  const was = model.isThere(key);
  if (result !== was) throw new Violation(`deleting ${key} answers ${String(result)}, must be ${was}`);
  model.drop(key);
}

function carryOutJob(
  made: Extract<Call, { readonly job: JobId }>,
  { model, reference, now }: CallerThen,
  found: unknown,
): void {
  const key = JOB + made.job;
  const job = model.own(key)?.value as JobState | undefined;
  if (made.do !== "schedule") {
    // What was removed was told before.
    const seen = typeof found === "string" ? found : tellReal(found as Job | undefined);
    const known = tellKnown(job);
    if (seen !== known) throw new Violation(`${model.subject.name} sees ${key} as ${seen}, must be ${known}`);
    if (made.do === "remove") model.drop(key);
    return;
  }
  const { data, user, chat: named } = made.wanted;
  const chat = named === undefined ? undefined : resolveChat(named, reference.kept);
  const fresh = newJob({ ...made.wanted, chat }, made.wanted.delay, now);
  const isSame =
    job?.definition === fresh.definition &&
    job.rhythm === fresh.rhythm &&
    (fresh.rhythm !== "once" || job.anchor === fresh.anchor);
  model.assign(key, (isSame ? { ...job, data, chat, user } : fresh) as unknown as Value);
}

function tellReal(job: Job | undefined): string {
  return job === undefined ? "missing" : JSON.stringify([job.definition, job.nextRunTime?.getTime() ?? null, job.data]);
}

function tellKnown(job: JobState | undefined): string {
  return job === undefined ? "missing" : JSON.stringify([job.definition, job.retryAt ?? job.next ?? null, job.data]);
}

function keysOf(made: Call, { model, reference }: Caller): readonly string[] {
  if ("entry" in made) return [ENTRY + made.entry];
  if ("job" in made) return [JOB + made.job];
  const [chats, users] = scopesOf(made);
  const scopes = [...chats.map((id) => `chat:${resolveChat(id, reference.kept)}`), ...users.map((id) => `user:${id}`)];
  return made.do === "forget user" ? [...scopes, ...belongingsOf(made.id, model, reference.kept)] : scopes;
}

/** The jobs and conversations that a unit of work finds for a user and its private chat: what it has changed itself counts. */
function belongingsOf(id: number, model: UnitModel, kept: Kept): readonly string[] {
  return [...new Set([...kept.records.keys(), ...model.ownKeys])].filter(isBelonging).filter((key) => {
    const value = model.has(key) ? model.own(key)?.value : valueOf(key, kept.records.get(key));
    const { chat, user } = (value ?? {}) as { chat?: number; user?: number };
    return chat === id || user === id;
  });
}

function isBelonging(key: string): boolean {
  return key.startsWith(JOB) || key.startsWith(TALK);
}

function scopesOf(made: Call): [chats: readonly number[], users: readonly number[]] {
  if (!("id" in made)) return [[], []];
  return [made.do === "drop user" ? [] : [made.id], made.do === "drop chat" ? [] : [made.id]];
}

function put(token: number): Value {
  return { put: token };
}
