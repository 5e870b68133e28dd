import type { Chat, Message, Update, User } from "@grammyjs/types";
import type { NewBot } from "../world/bot-account.ts";
import type { CallbackAnswer } from "../world/callback-queries.ts";
import type { Fault } from "../world/faults.ts";
import type { MigrationOrder } from "../world/migration.ts";
import type { ButtonChoice, MessageContent } from "../world/people.ts";
import type { TranscriptEntry, TranscriptFilter } from "../world/transcript.ts";
import type { NewUpdate } from "../world/update-queue.ts";

/** A bot that the emulator knows. */
export interface EmulatedBot {
  id: number;
  /** As from @BotFather: "123456:AA...". */
  token: string;
  username: string;
}

/** Who a new user is. */
export interface NewUser {
  firstName: string;
  lastName?: string | undefined;
  /** Without "@". */
  username?: string | undefined;
  /** As "de" or "pt-br". */
  languageCode?: string | undefined;
  isPremium?: boolean | undefined;
  /** A positive number. Default: chosen by the emulator. */
  id?: number | undefined;
  /** The token of the bot that this user has started: there is a private chat with it. */
  bot?: string | undefined;
}

/** What a new group is. */
export interface NewGroup {
  title: string;
  /** The token of the bot that is in the group. */
  bot?: string | undefined;
  /** Tokens, when several bots are in the group. */
  bots?: readonly string[] | undefined;
  /** The users in it. */
  members?: readonly { readonly id: number }[] | undefined;
  /** The user to whom it belongs; in it as well. Default: it belongs to nobody. */
  owner?: { readonly id: number } | undefined;
  /** Makes a supergroup. Default false. */
  supergroup?: boolean | undefined;
  /** Negative; of a supergroup below -1000000000000. Default: chosen by the emulator. */
  id?: number | undefined;
}

/** A chat, as control commands name it. A private chat is one user's with one bot, by its token or id. */
export interface Place {
  readonly chat: number;
  readonly bot?: string | number | undefined;
}

/** What happens to a member, and who does it; by user or bot id. */
export interface MemberChange {
  readonly chat: number;
  readonly member: number;
  readonly by?: number | undefined;
}

/** How long to wait, in milliseconds. */
export interface Timeout {
  timeout?: number | undefined;
}

/** Every command of the simulated outside world: what it takes and gives, as JSON. */
export interface ControlCommands {
  createBot: { args: NewBot; result: EmulatedBot };
  createUser: { args: NewUser; result: User };
  createGroup: { args: NewGroup; result: Chat };
  user: { args: { id: number }; result: User };
  group: { args: { id: number }; result: Chat };
  addMember: { args: MemberChange; result: Message };
  removeMember: { args: MemberChange; result: Message };
  setRole: { args: MemberChange & { role: "administrator" | "member" }; result: void };
  migrate: {
    args: { chat: number; announce?: MigrationOrder | undefined; id?: number | undefined };
    result: Chat;
  };
  announceMigration: { args: { chat: number }; result: Message };
  send: {
    args: Place & { user: number; content: string | MessageContent; replyTo?: number | undefined };
    result: Message;
  };
  edit: { args: Place & { user: number; message: number; text: string }; result: Message };
  press: { args: Place & { user: number; message: number; choice: ButtonChoice }; result: { id: string } };
  pressAnswer: { args: { id: string } & Timeout; result: CallbackAnswer };
  block: { args: { user: number; bot: string; isBlocked: boolean }; result: void };
  nextReply: { args: Place & Timeout; result: Message };
  nextEdit: { args: Place & Timeout; result: Message };
  messages: { args: Place; result: Message[] };
  sendUpdate: { args: { bot: string; update: NewUpdate }; result: number | null };
  pending: { args: { bot: string }; result: Update[] };
  untilConfirmed: { args: { bot: string } & Timeout; result: void };
  untilPolling: { args: { bot: string } & Timeout; result: void };
  untilRetrying: { args: { bot: string } & Timeout; result: void };
  retryNow: { args: { bot: string } & Timeout; result: void };
  advance: { args: { milliseconds: number }; result: void };
  deliveries: { args: { bot: string }; result: [updateId: number, count: number][] };
  restartUpdateIds: { args: { bot: string; to?: number | undefined }; result: void };
  transcript: { args: TranscriptFilter; result: TranscriptEntry[] };
  fault: { args: Fault; result: { id: number } };
  faultHit: { args: { id: number } & Timeout; result: void };
  removeFault: { args: { id: number }; result: void };
  clearFaults: { args: object; result: void };
  unreachable: { args: { isUnreachable: boolean }; result: void };
}

/** The name of a command. */
export type Command = keyof ControlCommands;

/** Runs commands, here or in another process. */
export interface ControlConnection {
  call<C extends Command>(command: C, args: ControlCommands[C]["args"]): Promise<ControlCommands[C]["result"]>;
  /** May be called more than once. */
  close(): Promise<void>;
}
