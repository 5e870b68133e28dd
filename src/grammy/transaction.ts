import type { Api } from "grammy";
import type { MaybePromise } from "../data/maybe-promise.ts";
import type { Engine } from "../engine/engine.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import type { Data, KeptTypes } from "../data/kept-types.ts";
import { jobQueueIn } from "../jobs/job-queue.ts";
import type { DeepReadonly } from "./context.ts";
import type { PersistentJobQueue } from "./job-context.ts";

/** What `app.transaction` gives. All of it throws `PERDURE_UNIT_OVER` once the transaction has ended. */
export interface Transaction<K extends KeptTypes> {
  /**
   * The data of a chat that the transaction was begun with, to change in place. Throws `PERDURE_NO_TURN` for another one.
   * The id of a group that has become a supergroup may be the old one.
   */
  chatData(id: number): Data<K, "chat">;
  /** The data of a user that the transaction was begun with, likewise. */
  userData(id: number): Data<K, "user">;
  /** The bot's data, frozen. */
  readonly botData: DeepReadonly<Data<K, "bot">>;
  /** Changes the bot's data, as `ctx.updateBotData` does. */
  updateBotData<T>(change: (data: Data<K, "bot">) => T extends PromiseLike<unknown> ? never : T): Promise<T>;
  /** The job queue. What is scheduled, changed or removed with it belongs to this transaction. */
  readonly jobQueue: PersistentJobQueue<K>;
  /** Runs `call` once what the transaction changed is durable. */
  afterCommit(call: () => MaybePromise<void>): void;
  /** The bot's api. */
  readonly api: Api;
}

/** The typed face of a unit of work that is no update's. */
export function transactionOf<K extends KeptTypes>(
  engine: Engine,
  unit: UnitOfWork,
  { api, jobQueue }: { readonly api: Api; readonly jobQueue: PersistentJobQueue<K> },
): Transaction<K> {
  return {
    chatData: (id) => unit.valueOf("chat", engine.chatId(id)).get() as Data<K, "chat">,
    userData: (id) => unit.valueOf("user", id).get() as Data<K, "user">,
    get botData() {
      return unit.botData as DeepReadonly<Data<K, "bot">>;
    },
    updateBotData: (change) => unit.updateBotData(change as never),
    get jobQueue() {
      return jobQueueIn(unit, jobQueue);
    },
    afterCommit: (call) => unit.afterCommit(call),
    api,
  };
}
