export { EmulatedFault, TelegramEmulator, type EmulatorOptions, type SpawnOptions } from "./emulator/emulator.ts";
export {
  EmulatedGroup,
  EmulatedUser,
  Press,
  type By,
  type Identified,
  type MessageReference,
  type MigrateOptions,
  type SendOptions,
  type WithBot,
} from "./emulator/handles.ts";
export type { EmulatedBot, NewGroup, NewUser, Timeout } from "./emulator/control/commands.ts";
export { transcriptText } from "./emulator/control/transcript-text.ts";
export type { NewBot } from "./emulator/world/bot-account.ts";
export type { CallbackAnswer } from "./emulator/world/callback-queries.ts";
export type {
  CallFault,
  DelayFault,
  ErrorFault,
  Fault,
  FaultCount,
  FaultKind,
  FaultScope,
  HangFault,
  LostAcknowledgementFault,
  LostRequestFault,
  LostResponseFault,
  WebhookFault,
  WebhookTimeoutFault,
} from "./emulator/world/faults.ts";
export type { MigrationOrder } from "./emulator/world/migration.ts";
export type { ButtonChoice, MessageContent } from "./emulator/world/people.ts";
export type {
  CallEntry,
  DeliveryEntry,
  TranscriptEntry,
  TranscriptFilter,
  UpdateEntry,
} from "./emulator/world/transcript.ts";
export type { UpdateKind } from "./emulator/world/update-kind.ts";
export type { NewUpdate } from "./emulator/world/update-queue.ts";
export type { WorldOptions } from "./emulator/world/world.ts";
export { testPersistence, type PersistenceTest, type TestPersistenceOptions } from "./conformance/test-persistence.ts";
