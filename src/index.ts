import { requireNodeVersion } from "./node-version.ts";

requireNodeVersion();

// The application.
export { Application, type RunOptions } from "./grammy/application.ts";
export type { Transaction } from "./grammy/transaction.ts";
export type { AppWebhookOptions } from "./grammy/webhooks.ts";
export type { TransactionKeys } from "./engine/assignments.ts";
export type { ApplicationOptions, CallbackDataOptions, Initial, Migrations } from "./grammy/options.ts";
export type { MigrateChatData } from "./grammy/migrate-chat-data.ts";
export { Collection } from "./collection/collection.ts";
export type { AppPollingOptions } from "./grammy/polling-loop.ts";
export type {
  AnyPersistentContext,
  DeepReadonly,
  KeptOf,
  PersistentContext,
  PersistentFlavor,
} from "./grammy/context.ts";
export { callbackQuery, command, filter, hears, on } from "./grammy/conversation/builders.ts";
export { END, TIMEOUT, WAITING } from "./conversation/special-states.ts";
export type { ConversationParties } from "./conversation/conversation-id.ts";
export { ConversationHandler, type ConversationSettings } from "./grammy/conversation/conversation-handler.ts";
export type { ConversationOptions, SpecialState, StateIn, States } from "./grammy/conversation/conversation-options.ts";
export type {
  End,
  Handler,
  HandlerOptions,
  Ignored,
  NestedConversation,
  Returned,
  StateHandlers,
  TimeoutContext,
  TimeoutHandlers,
} from "./grammy/conversation/handler.ts";
export type { Migration } from "./engine/schema.ts";
export type { Logger } from "./engine/logger.ts";
export type { ErrorListener, ErrorOrigin, JobOrigin } from "./engine/reporter.ts";

// Jobs.
export type { JobContext, JobFilter, JobHandler, JobQueue } from "./jobs/job-queue.ts";
export type { Job, JobError, JobState } from "./jobs/job.ts";
export type { DefineOptions, JobDefinition, RetryPolicy } from "./jobs/job-definition.ts";
export type {
  CronJobOptions,
  DailyJobOptions,
  JobOptions,
  MonthlyJobOptions,
  RepeatingJobOptions,
} from "./jobs/schedule-options.ts";
export type { When } from "./jobs/when.ts";
export type { TimeOfDay, TimeOfDayParts, TimeOfDayText } from "./jobs/time-of-day.ts";
export type { PersistentJobContext, PersistentJobQueue } from "./grammy/job-context.ts";
export type { Clock } from "./engine/clock.ts";

// Data buttons.
export { dataButton, type ButtonLabel } from "./callback-data/data-button.ts";
export { InvalidCallbackData } from "./callback-data/invalid-callback-data.ts";
export type { MessageWithKeyboard } from "./callback-data/callback-data.ts";
export {
  callbackData,
  type CallbackDataContext,
  type CallbackDataHandler,
} from "./grammy/callback-data/callback-data-handler.ts";
export type {
  SchemaInput,
  SchemaOutput,
  SchemaResult,
  StandardSchema,
} from "./grammy/callback-data/standard-schema.ts";

// Where records are kept.
export { DictPersistence, type DictPersistenceOptions } from "./persistence/dict/dict-persistence.ts";
export {
  PicklePersistence,
  type PickleLimits,
  type PicklePersistenceOptions,
} from "./persistence/pickle/pickle-persistence.ts";
export type { StateNamesOption } from "./persistence/state-names.ts";
export type { InexactValue, MappingReport } from "./persistence/mapping-report.ts";
export {
  StorageAdapterPersistence,
  type KeyedStorage,
  type StorageAdapterPersistenceOptions,
} from "./persistence/storage-adapter/storage-adapter-persistence.ts";
export type { StoredText } from "./persistence/storage-adapter/stored-text.ts";
export {
  copyPersistence,
  type CopyOptions,
  type CopyProgress,
  type CopyResult,
} from "./persistence/copy/copy-persistence.ts";
export {
  SqlitePersistence,
  type SqliteCacheOptions,
  type SqlitePersistenceOptions,
} from "./persistence/sqlite/sqlite-persistence.ts";
export {
  AtomicPersistence,
  type Abilities,
  type Acceptance,
  type ChatAlias,
  type FailedUpdate,
  type EarliestOptions,
  type KeysOptions,
  type TimedRecord,
  type InboxEntry,
  type OpenOptions,
  type OpenUpdatesOptions,
  type UnitCommit,
} from "./persistence/atomic-persistence.ts";
export {
  BasePersistence,
  type BasePersistenceOptions,
  type CallbackData,
  type ConversationEntry,
  type KeyboardEntry,
  type PersistenceInput,
} from "./persistence/base-persistence.ts";
export type { DoneRange } from "./persistence/done-ranges.ts";
export type { Data, KeptTypes, UntypedKept } from "./data/kept-types.ts";
export type {
  BelongingKind,
  BotKey,
  CallbackQueryKey,
  ChatKey,
  ConversationId,
  ConversationKey,
  EntryKey,
  FoundBy,
  JobKey,
  KeptRecord,
  KeyboardKey,
  KeyOf,
  RecordChange,
  RecordKey,
  RecordKind,
  TimedKind,
  UserKey,
} from "./data/record.ts";

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

// Values of Python that have no equal in JavaScript.
export { PythonDate } from "./data/python/python-date.ts";
export { PythonDatetime } from "./data/python/python-datetime.ts";
export { PythonDecimal } from "./data/python/python-decimal.ts";
export { PythonDeque } from "./data/python/python-deque.ts";
export { PythonDict, type PythonDictType } from "./data/python/python-dict.ts";
export { PythonEnum, type PythonEnumMember } from "./data/python/python-enum.ts";
export { PythonFrozenset } from "./data/python/python-frozenset.ts";
export { PythonGlobal } from "./data/python/python-global.ts";
export { PythonObject, type PythonObjectParts } from "./data/python/python-object.ts";
export { PythonTime } from "./data/python/python-time.ts";
export { PythonTimedelta } from "./data/python/python-timedelta.ts";
export { PythonTimezone, type PythonTimezoneParts, type PythonTimezoneType } from "./data/python/python-timezone.ts";
export { PythonTuple } from "./data/python/python-tuple.ts";
export { PythonUuid } from "./data/python/python-uuid.ts";
export { toBotApi } from "./data/python/to-bot-api.ts";

// Errors.
export { PerdureError, isPerdureError, type ErrorCode, type PerdureErrorOptions } from "./errors.ts";
