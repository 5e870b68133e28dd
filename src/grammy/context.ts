import type { Context } from "grammy";
import type { Data, KeptTypes } from "../data/kept-types.ts";
import type { MaybePromise } from "../data/maybe-promise.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { jobQueueIn, type JobQueue } from "../jobs/job-queue.ts";
import type { Application } from "./application.ts";
import type { PersistentJobQueue } from "./job-context.ts";

/** A value and all that it holds, to read and not to change. */
export type DeepReadonly<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<DeepReadonly<K>, DeepReadonly<V>>
    : T extends ReadonlySet<infer V>
      ? ReadonlySet<DeepReadonly<V>>
      : T extends object
        ? { readonly [P in keyof T]: DeepReadonly<T[P]> }
        : T;

declare const kept: unique symbol;

/** What the application puts on the context. All of it throws `PERDURE_UNIT_OVER` once the update has been handled. */
export interface PersistentFlavor<K extends KeptTypes> {
  /** Carries the type only. */
  readonly [kept]?: K;
  /**
   * The data of the update's chat (PTB's `effective_chat`). Change it in place or assign anew; it is kept with the update.
   * Throws `PERDURE_NO_CHAT` in an update that belongs to no chat.
   */
  chatData: Data<K, "chat">;
  /** The data of the update's user (PTB's `effective_user`), likewise. Throws `PERDURE_NO_USER` where there is none. */
  userData: Data<K, "user">;
  /** The bot's data, frozen. {@link PersistentFlavor.updateBotData} changes it. */
  readonly botData: DeepReadonly<Data<K, "bot">>;
  /**
   * Changes the bot's data in the same commit as everything else. `change` gets the newest value, changes it in place, and
   * must not be asynchronous; what it returns is returned. If it throws, the data is as before. From the call until this
   * update's commit no other update can change the bot's data, so call it late. Throws `PERDURE_DEADLOCK` when two updates
   * would wait for each other.
   */
  updateBotData<T>(change: (data: Data<K, "bot">) => T extends PromiseLike<unknown> ? never : T): Promise<T>;
  /**
   * Runs `call` once what this update changed is durable; not if it rolls back, and not if the process ends before. Its
   * errors go to `app.onError`.
   */
  afterCommit(call: () => MaybePromise<void>): void;
  /** The job queue. What is scheduled, changed or removed with it belongs to this update. */
  readonly jobQueue: PersistentJobQueue<K>;
  /** The application. What its methods do here belongs to this update, but for `transaction`, which is refused. */
  readonly application: Application<Context & PersistentFlavor<K>>;
}

/** A context with the kept data on it: `type MyContext = PersistentContext<Context, Kept>`. */
export type PersistentContext<C extends Context, K extends KeptTypes> = C & PersistentFlavor<K>;

/** Any context that carries the type of what is kept. */
export type AnyPersistentContext = Context & { readonly [kept]?: KeptTypes };

/** What the bot of this context keeps. */
export type KeptOf<C> = C extends { readonly [kept]?: infer K } ? K : never;

const UNIT = Symbol("perdure.unit");

interface Bound {
  readonly [UNIT]: UnitOfWork;
  readonly application: { readonly jobQueue: JobQueue<unknown> };
}

const ACCESSORS: PropertyDescriptorMap & ThisType<Bound> = {
  chatData: {
    get() {
      return this[UNIT].chatData;
    },
    set(value: unknown) {
      this[UNIT].chatData = value;
    },
  },
  userData: {
    get() {
      return this[UNIT].userData;
    },
    set(value: unknown) {
      this[UNIT].userData = value;
    },
  },
  botData: {
    get() {
      return this[UNIT].botData;
    },
    set() {
      throw new TypeError("ctx.botData cannot be assigned. Use await ctx.updateBotData((data) => ...).");
    },
  },
  updateBotData: {
    value(change: (data: unknown) => unknown) {
      return this[UNIT].updateBotData(change);
    },
  },
  jobQueue: {
    get() {
      return jobQueueIn(this[UNIT], this.application.jobQueue);
    },
  },
  afterCommit: {
    value(call: () => MaybePromise<void>) {
      this[UNIT].afterCommit(call);
    },
  },
};

/** Puts the values of a unit of work on a context: that of its update, or that of a job's run. */
export function bindUnit(ctx: object, unit: UnitOfWork, application: unknown): void {
  Object.defineProperties(ctx, ACCESSORS);
  Object.defineProperty(ctx, UNIT, { value: unit });
  Object.defineProperty(ctx, "application", { value: application });
}
