import type { CallbackQuery } from "@grammyjs/types";
import type { Context } from "grammy";
import type { CallbackData, MessageWithKeyboard } from "../callback-data/callback-data.ts";
import type { Press } from "../callback-data/press.ts";
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
   * What the pressed data button carries, to be changed in place if need be: the keyboard keeps it so. `InvalidCallbackData` when there is none
   * any more. `undefined` in an update that is no press of a data button. `callbackData(guard, handler)` tells its type.
   */
  readonly callbackData: unknown;
  /**
   * What the buttons of a message carry, row by row as in its `reply_markup`; `undefined` for other buttons. For messages of this bot and
   * those sent via it: the one of the pressed button, one that is replied to, a pinned one (PTB statement 171).
   */
  callbackDataIn(message: MessageWithKeyboard): Promise<(readonly unknown[])[]>;
  /**
   * Removes the values of the keyboard whose button was pressed: a press that comes later gets `InvalidCallbackData`. Rejects with that
   * error when they are gone already, and with a `TypeError` in an update that is no callback query.
   */
  dropCallbackData(): Promise<void>;
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

const BOUND = Symbol("perdure.bound");

/** The data buttons as an update's handlers meet them. */
export interface BoundButtons {
  readonly callbackData: CallbackData;
  /** There when one was pressed. */
  readonly press: Press | undefined;
}

interface Bound {
  readonly [BOUND]: {
    readonly unit: UnitOfWork;
    readonly application: { readonly jobQueue: JobQueue<unknown> };
    /** Of an update. */
    readonly buttons?: BoundButtons | undefined;
  };
  readonly callbackQuery?: CallbackQuery | undefined;
}

const ACCESSORS: PropertyDescriptorMap & ThisType<Bound> = {
  chatData: {
    get() {
      return this[BOUND].unit.chatData;
    },
    set(value: unknown) {
      this[BOUND].unit.chatData = value;
    },
  },
  userData: {
    get() {
      return this[BOUND].unit.userData;
    },
    set(value: unknown) {
      this[BOUND].unit.userData = value;
    },
  },
  botData: {
    get() {
      return this[BOUND].unit.botData;
    },
    set() {
      throw new TypeError("ctx.botData cannot be assigned. Use await ctx.updateBotData((data) => ...).");
    },
  },
  updateBotData: {
    writable: false,
    value(change: (data: unknown) => unknown) {
      return this[BOUND].unit.updateBotData(change);
    },
  },
  jobQueue: {
    get() {
      return jobQueueIn(this[BOUND].unit, this[BOUND].application.jobQueue);
    },
  },
  afterCommit: {
    writable: false,
    value(call: () => MaybePromise<void>) {
      this[BOUND].unit.afterCommit(call);
    },
  },
  application: {
    get() {
      return this[BOUND].application;
    },
  },
  callbackData: {
    get() {
      return this[BOUND].buttons?.press?.value;
    },
  },
  callbackDataIn: {
    writable: false,
    value(message: MessageWithKeyboard) {
      const { buttons, unit } = this[BOUND];
      return buttons?.callbackData.valuesIn(unit, message);
    },
  },
  dropCallbackData: {
    writable: false,
    async value() {
      const { callbackQuery } = this;
      if (callbackQuery === undefined) throw new TypeError("ctx.dropCallbackData: this update is no callback query.");
      await this[BOUND].buttons?.callbackData.drop(callbackQuery);
    },
  },
};

const NAMES = Object.keys(ACCESSORS);

/** By the prototype of a context, what stands between both: a class has one, and defining these on each context takes ten times as long. */
const prototypes = new WeakMap<object, object>();

/** Puts the values of a unit of work on a context: that of its update, or that of a job's run. */
export function bindUnit(ctx: object, unit: UnitOfWork, application: unknown, buttons?: BoundButtons): void {
  // A class that declares one of these as a field has put it on the context itself.
  if (NAMES.some((name) => Object.hasOwn(ctx, name))) Object.defineProperties(ctx, ACCESSORS);
  else Object.setPrototypeOf(ctx, boundPrototype(Object.getPrototypeOf(ctx) as object));
  Object.defineProperty(ctx, BOUND, { value: { unit, application, buttons } });
}

function boundPrototype(of: object): object {
  const known = prototypes.get(of);
  if (known !== undefined) return known;
  const prototype: object = Object.create(of, ACCESSORS);
  prototypes.set(of, prototype);
  return prototype;
}

/** The unit of work of a context, and its application; `undefined` for a context that no application has seen. */
export function boundIn(ctx: Context): { readonly unit: UnitOfWork; readonly application: unknown } | undefined {
  return (ctx as Partial<Bound>)[BOUND];
}
