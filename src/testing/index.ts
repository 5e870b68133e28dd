export { EmulatedFault, TelegramEmulator, type EmulatorOptions, type SpawnOptions } from "./emulator/emulator.ts";
export {
  EmulatedGroup,
  EmulatedUser,
  Press,
  type MessageReference,
  type SendOptions,
  type WithBot,
} from "./emulator/handles.ts";
export type { EmulatedBot, NewGroup, NewUser, Timeout } from "./emulator/control/commands.ts";
export { transcriptText } from "./emulator/control/transcript-text.ts";
export type { NewBot } from "./emulator/world/bot-account.ts";
export type { CallbackAnswer } from "./emulator/world/callback-queries.ts";
export type {
  DelayFault,
  ErrorFault,
  Fault,
  FaultKind,
  FaultScope,
  HangFault,
  LostRequestFault,
  LostResponseFault,
} from "./emulator/world/faults.ts";
export type { ButtonChoice, MessageContent } from "./emulator/world/people.ts";
export type { CallEntry, TranscriptEntry, TranscriptFilter, UpdateEntry } from "./emulator/world/transcript.ts";
export type { UpdateKind } from "./emulator/world/update-kind.ts";
export type { NewUpdate } from "./emulator/world/update-queue.ts";
export type { WorldOptions } from "./emulator/world/world.ts";
