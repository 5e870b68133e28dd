import type { Update } from "@grammyjs/types";
import type { RecordKey } from "../data/record.ts";
import type { ChatAlias } from "../persistence/atomic-persistence.ts";
import type { ChatAliases } from "./chat-aliases.ts";
import type { JobOrigin } from "./reporter.ts";
import { scopesOf } from "./scopes-of-update.ts";
import type { UnitSubject } from "./unit-of-work.ts";
import type { Assignment } from "./unit-runner.ts";

/** The chats and users whose turns a transaction takes. */
export interface TransactionKeys {
  readonly chats?: readonly number[] | undefined;
  readonly users?: readonly number[] | undefined;
}

/** What is run as a unit of work that is no update's: the run of a job. */
export interface Task extends UnitSubject {
  /** The records that it owns from the beginning, beside the data of its chat and its user. They are read with these. */
  readonly keys: readonly RecordKey[];
  /** Whether it runs alone, since it may end the process. */
  readonly alone: boolean;
  /** Which job it is about, for those who hear its errors. Asked for when there is one. */
  readonly job?: (() => JobOrigin | undefined) | undefined;
}

/** Says of everything that is done as a unit of work which records it takes. Chats may move as long as it waits: so this is asked again. */
export class Assignments {
  readonly #aliases: ChatAliases;

  constructor(aliases: ChatAliases) {
    this.#aliases = aliases;
  }

  ofUpdate(update: Update): Assignment {
    return new UpdateAssignment(update, this.#aliases);
  }

  /** The migration that an update announces. */
  ofMigration(update: Update, { from, to }: ChatAlias): Assignment {
    const { userId } = scopesOf(update);
    const users = userId === undefined ? [] : [userId];
    return this.ofTransaction(`migration of chat ${from}`, { chats: [from, to], users }, false);
  }

  ofTransaction(name: string, { chats = [], users = [] }: TransactionKeys, refreshes: boolean): Assignment {
    const keys = (): RecordKey[] => {
      const chatIds = new Set(chats.map((id) => this.#aliases.resolve(id)));
      return [...keysOf("chat", chatIds), ...keysOf("user", new Set(users))];
    };
    return { name, refreshes, keys };
  }

  ofTask({ chatId, userId, keys, ...task }: Task): Assignment {
    const resolve = (): number | undefined => (chatId === undefined ? undefined : this.#aliases.resolve(chatId));
    return {
      ...task,
      refreshes: true,
      userId,
      get chatId() {
        return resolve();
      },
      keys: () => [...dataOf(resolve(), userId), ...keys],
    };
  }
}

/** An update, to be done as one unit of work. Which chat's data it is about may change as long as it waits: chats move. */
class UpdateAssignment implements Assignment {
  readonly update: Update;
  readonly userId: number | undefined;
  readonly refreshes = true;
  readonly #type: string;
  readonly #chatId: number | undefined;
  readonly #aliases: ChatAliases;

  constructor(update: Update, aliases: ChatAliases) {
    const { type, chatId, userId } = scopesOf(update);
    this.update = update;
    this.userId = userId;
    this.#type = type;
    this.#chatId = chatId;
    this.#aliases = aliases;
  }

  get name(): string {
    return `update ${this.update.update_id} (${this.#type})`;
  }

  get chatId(): number | undefined {
    return this.#chatId === undefined ? undefined : this.#aliases.resolve(this.#chatId);
  }

  keys(): RecordKey[] {
    return dataOf(this.chatId, this.userId);
  }
}

/** The data of a chat and of a user. */
function dataOf(chatId: number | undefined, userId: number | undefined): RecordKey[] {
  const keys: RecordKey[] = chatId === undefined ? [] : [{ kind: "chat", id: chatId }];
  if (userId !== undefined) keys.push({ kind: "user", id: userId });
  return keys;
}

function keysOf(kind: "chat" | "user", ids: ReadonlySet<number>): RecordKey[] {
  return Array.from(ids, (id) => ({ kind, id }));
}
