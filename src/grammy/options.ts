import type { Bot } from "grammy";
import type { Limits } from "../callback-data/kept-limits.ts";
import { milliseconds, type Duration } from "../data/duration.ts";
import type { KeptTypes } from "../data/kept-types.ts";
import type { Scope } from "../data/record.ts";
import type { OnMigrate } from "../engine/chat-migration.ts";
import { inWholeMilliseconds, systemClock, type Clock } from "../engine/clock.ts";
import type { Logger } from "../engine/logger.ts";
import type { Migration, Schema } from "../engine/schema.ts";
import { PerdureError } from "../errors.ts";
import type { Data } from "../data/kept-types.ts";
import { AtomicPersistence } from "../persistence/atomic-persistence.ts";
import { BasePersistence } from "../persistence/base-persistence.ts";

/** The scopes whose data cannot begin as `{}`. */
type Demanding<K> = { [S in Scope]: Record<never, never> extends Data<K, S> ? never : S }[Scope];

/** What each scope's data begins with; `{}` where it is not given. Called in each update until there is a record. */
export type Initial<K> = { [S in Demanding<K>]: () => Data<K, S> } & {
  [S in Exclude<Scope, Demanding<K>>]?: (() => Data<K, S>) | undefined;
};

/**
 * Functions that bring older data up, the oldest first. A record that has been through fewer of them goes through the
 * rest when it is read, and is stored with its next change. Never remove or reorder them; add at the end.
 */
export interface Migrations {
  bot?: readonly Migration[] | undefined;
  chat?: readonly Migration[] | undefined;
  user?: readonly Migration[] | undefined;
}

/** Options of `Application`. */
export type ApplicationOptions<K extends KeptTypes, App> = CommonOptions<App> &
  TypedOptions<K> &
  ([Demanding<K>] extends [never] ? { initial?: Initial<K> | undefined } : { initial: Initial<K> });

interface TypedOptions<K extends KeptTypes> {
  /** Where everything is kept: a class for this bot's data, or for any. */
  persistence: BasePersistence<K> | BasePersistence;
  /**
   * A group has become a supergroup (the Bot API calls it migration), and both have data: merges them. By default the
   * group's data stands, and a warning tells what was dropped.
   */
  onMigrate?: ((old: Data<K, "chat">, fresh: Data<K, "chat">) => Data<K, "chat">) | undefined;
}

/** How much is kept of what data buttons carry. */
export interface CallbackDataOptions {
  /** So many keyboards at most; then the least recently used ones go. Default 100 000. */
  maxKeyboards?: number | undefined;
  /** How long after its last use a keyboard is kept: a number of milliseconds, or text. Default `"90d"`. */
  ttl?: Duration | undefined;
}

type ContextOf<App> = App extends { readonly bot: Bot<infer C> } ? C : never;

interface CommonOptions<App> {
  /** Bring older data up. */
  migrations?: Migrations | undefined;
  /** How many updates are handled at the same time by `app.run()`, the runner or a webhook. Default 64. */
  concurrency?: number | undefined;
  /** What becomes of the changes of a handler that throws. Default `"rollback"`; `"keep"` is PTB's way. */
  onHandlerError?: "rollback" | "keep" | undefined;
  /**
   * How often an update is run that never finishes, for instance because it ends the process, before it is set aside.
   * Default 3, at least 2: after a crash nobody knows whether an update had begun. From the second time on it runs alone.
   */
  maxAttempts?: number | undefined;
  /** How long `stop` waits for handlers that run. Default `"10s"`. */
  stopTimeout?: Duration | undefined;
  /** How much is kept of what data buttons carry. */
  callbackData?: CallbackDataOptions | undefined;
  /**
   * A data button was pressed whose value is not there (any more), and the handlers have not answered the query. Called after them, in the same unit of
   * work; `ctx.callbackData` is the `InvalidCallbackData`. By default the query is answered: "This button is no longer valid."
   */
  onInvalidCallbackData?: ((ctx: ContextOf<App>) => unknown) | undefined;
  /** Called when the persistence is open, before the first update. */
  postInit?: ((app: App) => unknown) | undefined;
  /** Called when no update is handled any more. */
  postStop?: ((app: App) => unknown) | undefined;
  /** Called when the persistence is closed. */
  postShutdown?: ((app: App) => unknown) | undefined;
  /**
   * Where the application gets the time from: when jobs are due, how long it waits. Default: the machine's. A test gives one that it moves on itself, and needs not wait
   * for tomorrow.
   */
  clock?: Clock | undefined;
  /** Where the application says what it does. Default: warnings and errors to the console. */
  logger?: Logger | undefined;
}

/** The options as the application uses them. */
export interface ResolvedOptions {
  readonly schema: Schema;
  readonly concurrency: number;
  readonly onHandlerError: "rollback" | "keep";
  readonly stopTimeout: number;
  readonly maxAttempts: number;
  readonly onMigrate: OnMigrate | undefined;
  readonly clock: Clock;
  readonly callbackData: Limits;
}

/** Checks what the compiler cannot, and fills in the defaults. Throws `PERDURE_INVALID_OPTION`. */
export function resolveOptions<App>(
  options: CommonOptions<App> & { persistence: unknown; initial?: unknown; onMigrate?: unknown },
): ResolvedOptions {
  const { persistence, concurrency = 64, onHandlerError = "rollback", stopTimeout = "10s", maxAttempts = 3 } = options;
  if (!(persistence instanceof BasePersistence)) {
    throw invalid("persistence", persistence, 'a persistence, such as new SqlitePersistence({ path: "bot.sqlite" })');
  }
  requireCount("concurrency", concurrency, 1);
  requireCount("maxAttempts", maxAttempts, 2);
  if (onHandlerError !== "rollback" && onHandlerError !== "keep") {
    throw invalid("onHandlerError", onHandlerError, '"rollback" or "keep"');
  }
  const { maxKeyboards = 100_000, ttl = "90d" } = options.callbackData ?? {};
  requireCount("callbackData.maxKeyboards", maxKeyboards, 1);
  const initial = (options.initial ?? {}) as { [S in Scope]?: () => unknown };
  const migrations = options.migrations ?? {};
  if (!(persistence instanceof AtomicPersistence)) requireNone(migrations, persistence);
  return {
    schema: {
      bot: scopeSchema("bot", initial.bot, migrations.bot),
      chat: scopeSchema("chat", initial.chat, migrations.chat),
      user: scopeSchema("user", initial.user, migrations.user),
    },
    concurrency,
    onHandlerError,
    stopTimeout: milliseconds(stopTimeout, "stopTimeout"),
    maxAttempts,
    onMigrate: options.onMigrate as OnMigrate | undefined,
    clock: options.clock === undefined ? systemClock : inWholeMilliseconds(checkedClock(options.clock)),
    callbackData: { most: maxKeyboards, ttl: milliseconds(ttl, "callbackData.ttl") },
  };
}

function checkedClock(clock: Clock): Clock {
  const isClock = typeof clock === "object" && clock !== null && typeof clock.after === "function";
  if (isClock && typeof clock.now === "function" && Number.isFinite(clock.now())) return clock;
  throw invalid("clock", clock, "an object with now(), in milliseconds since 1970, and after(milliseconds, call)");
}

function scopeSchema(
  scope: Scope,
  initial: (() => unknown) | undefined = () => ({}),
  migrations: readonly Migration[] = [],
): Schema["bot"] {
  if (typeof initial !== "function") throw invalid(`initial.${scope}`, initial, "a function that returns the data");
  if (!Array.isArray(migrations) || !migrations.every((migration) => typeof migration === "function")) {
    throw invalid(`migrations.${scope}`, migrations, "an array of functions");
  }
  return { initial, migrations };
}

/** Without a place for a record's version, every start would run them again. */
function requireNone(migrations: Migrations, persistence: BasePersistence): void {
  for (const [scope, list] of Object.entries(migrations)) {
    if (!Array.isArray(list) || list.length === 0) continue;
    throw new PerdureError(
      "PERDURE_INVALID_OPTION",
      `migrations.${scope} is given, and ${persistence.constructor.name} does not keep which of them a record has been through. ` +
        "Use an atomic persistence, such as SqlitePersistence, or bring the data up in the class itself.",
    );
  }
}

function requireCount(option: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) throw invalid(option, value, `a whole number from ${least} on`);
}

function invalid(option: string, value: unknown, wanted: string): PerdureError {
  const shown = typeof value === "object" && value !== null ? value.constructor?.name : String(value);
  return new PerdureError("PERDURE_INVALID_OPTION", `${option} is ${shown}. It must be ${wanted}.`);
}
