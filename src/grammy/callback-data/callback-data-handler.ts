import type { CallbackQueryContext, Context, MiddlewareFn, MiddlewareObj } from "grammy";
import type { MaybePromise } from "../../data/maybe-promise.ts";
import type { Handler, HandlerOptions, Returned } from "../conversation/handler.ts";
import type { SchemaInput, SchemaOutput, StandardSchema } from "./standard-schema.ts";

/** A context of a press of a data button that carries a `T`. */
export type CallbackDataContext<C extends Context, T> = CallbackQueryContext<C> & { readonly callbackData: T };

/** What `callbackData(guard, handler)` makes: a handler of conversations, and middleware. */
export interface CallbackDataHandler<C extends Context, out R> extends Handler<C, R>, MiddlewareObj<C> {}

/** What the check has found, for the handler. */
interface Match {
  readonly value: unknown;
}

/** A context that an application has bound, or that it has not. */
type MaybeBound = Context & { readonly callbackData?: unknown };

/**
 * A handler of presses of data buttons that carry what `guard` takes: a type guard, or a schema of zod, valibot or any library that follows Standard
 * Schema. For `bot.use(callbackData(isOrder, (ctx, order) => ...))` and for conversations.
 *
 * `value` is what the button carries, and so is `ctx.callbackData`; with a schema `value` is what the schema makes of it. With a type guard, what is
 * changed in it in place is kept with the update. As middleware it passes on what the guard does not take. For the buttons whose value is gone:
 * `callbackData((value) => value instanceof InvalidCallbackData, ...)`.
 *
 * Throws a `TypeError` for anything but a function or such a schema.
 */
export function callbackData<C extends Context, T, const R extends Returned>(
  guard: (value: unknown) => value is T,
  callback: (ctx: CallbackDataContext<C, T>, value: T) => R | Promise<R>,
  options?: HandlerOptions,
): CallbackDataHandler<C, R>;
export function callbackData<C extends Context, S extends StandardSchema, const R extends Returned>(
  schema: S,
  callback: (ctx: CallbackDataContext<C, SchemaInput<S>>, value: SchemaOutput<S>) => R | Promise<R>,
  options?: HandlerOptions,
): CallbackDataHandler<C, R>;
export function callbackData<C extends Context, R extends Returned>(
  guard: ((value: unknown) => boolean) | StandardSchema,
  callback: (ctx: never, value: never) => R | Promise<R>,
  { block }: HandlerOptions = {},
): CallbackDataHandler<C, R> {
  const match = matcherOf(guard);
  const check = (ctx: MaybeBound): MaybePromise<Match | undefined> => {
    if (ctx.callbackQuery?.data === undefined) return undefined;
    const { callbackData: value } = ctx;
    return value === undefined ? undefined : match(value);
  };
  const call = (ctx: C, found: Match): R | Promise<R> => callback(ctx as never, found.value as never);
  const middleware: MiddlewareFn<C> = async (ctx, next) => {
    const found = await check(ctx);
    if (found === undefined) return next();
    await call(ctx, found);
    return undefined;
  };
  return {
    check,
    callback: call as Handler<C, R>["callback"],
    middleware: () => middleware,
    block,
    updates: ["callback_query"],
  };
}

function matcherOf(
  guard: ((value: unknown) => boolean) | StandardSchema,
): (value: unknown) => MaybePromise<Match | undefined> {
  // Schemas may be functions too.
  const standard = (guard as Partial<StandardSchema> | undefined)?.["~standard"];
  if (standard !== undefined) {
    return async (value) => {
      const result = await standard.validate(value);
      return result.issues === undefined ? { value: result.value } : undefined;
    };
  }
  if (typeof guard === "function") return (value) => (guard(value) ? { value } : undefined);
  throw new TypeError("callbackData(guard, handler): guard is neither a function nor a schema of Standard Schema.");
}
