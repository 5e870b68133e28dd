import { requireNodeVersion } from "./node-version.ts";

requireNodeVersion();

// The application.
export { Application, type RunOptions } from "./grammy/application.ts";
export type { Transaction } from "./grammy/transaction.ts";
export type { AppWebhookOptions } from "./grammy/webhooks.ts";
export type { TransactionKeys } from "./engine/engine.ts";
export type { ApplicationOptions, Initial, Migrations } from "./grammy/options.ts";
export type { AppPollingOptions } from "./grammy/polling-loop.ts";
export type {
  AnyPersistentContext,
  Data,
  DeepReadonly,
  KeptOf,
  KeptTypes,
  PersistentContext,
  PersistentFlavor,
} from "./grammy/context.ts";
export type { Migration } from "./engine/schema.ts";
export type { Logger } from "./engine/logger.ts";
export type { ErrorListener, ErrorOrigin } from "./engine/reporter.ts";

// Where records are kept.
export { SqlitePersistence, type SqlitePersistenceOptions } from "./persistence/sqlite/sqlite-persistence.ts";
export {
  AtomicPersistence,
  type Abilities,
  type Acceptance,
  type ChatAlias,
  type FailedUpdate,
  type IdsOptions,
  type InboxEntry,
  type OpenOptions,
  type OpenUpdatesOptions,
  type UnitCommit,
} from "./persistence/atomic-persistence.ts";
export type { BotKey, ChatKey, KeptRecord, RecordChange, RecordKey, UserKey } from "./data/record.ts";

// Values as text.
export {
  jsonCodec,
  type ClassEncoding,
  type Codec,
  type DecodeOptions,
  type EncodeOptions,
  type JsonCodec,
  type LiveObjects,
} from "./data/codec.ts";
export type { Duration } from "./data/duration.ts";

// Errors.
export { PerdureError, isPerdureError, type ErrorCode, type PerdureErrorOptions } from "./errors.ts";
