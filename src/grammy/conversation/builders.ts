import {
  Context,
  type CallbackQueryContext,
  type CommandContext,
  type Filter,
  type FilterQuery,
  type HearsContext,
} from "grammy";
import type { MaybePromise } from "../../data/maybe-promise.ts";
import type { Handler, HandlerOptions, Returned } from "./handler.ts";

type OneOrMore<T> = T | T[];
type Callback<C extends Context, R> = (ctx: C) => R | Promise<R>;

/** The kinds of updates that a filter query without one stands for, such as `":text"`. */
const CONTENT = ["message", "channel_post"];

/** A handler of commands: `command("cancel", () => END)`. It takes what `bot.command` takes. */
export function command<C extends Context, const R extends Returned>(
  name: OneOrMore<string>,
  callback: Callback<CommandContext<C>, R>,
  options?: HandlerOptions,
): Handler<C, R> {
  return handler(Context.has.command(name), callback, CONTENT, options);
}

/** A handler of a filter query: `on("message:text", (ctx) => ...)`. It takes what `bot.on` takes, and the context is as narrow. */
export function on<C extends Context, const Q extends FilterQuery, const R extends Returned>(
  query: OneOrMore<Q>,
  callback: Callback<Filter<C, Q>, R>,
  options?: HandlerOptions,
): Handler<C, R> {
  const updates = [query].flat().flatMap(updatesOf);
  return handler(Context.has.filterQuery(query), callback, updates, options);
}

/** A handler of texts: `hears(/^\d+$/, (ctx) => ...)`. It takes what `bot.hears` takes. */
export function hears<C extends Context, const R extends Returned>(
  trigger: OneOrMore<string | RegExp>,
  callback: Callback<HearsContext<C>, R>,
  options?: HandlerOptions,
): Handler<C, R> {
  return handler(Context.has.text(trigger), callback, CONTENT, options);
}

/** A handler of presses of inline buttons: `callbackQuery("yes", (ctx) => ...)`. It takes what `bot.callbackQuery` takes. */
export function callbackQuery<C extends Context, const R extends Returned>(
  trigger: OneOrMore<string | RegExp>,
  callback: Callback<CallbackQueryContext<C>, R>,
  options?: HandlerOptions,
): Handler<C, R> {
  return handler(Context.has.callbackQuery(trigger), callback, ["callback_query"], options);
}

/** A handler of what a function says, which may be asynchronous: `filter((ctx) => ctx.from?.is_premium === true, (ctx) => ...)`. */
export function filter<C extends Context, D extends C, const R extends Returned>(
  predicate: (ctx: C) => ctx is D,
  callback: Callback<D, R>,
  options?: HandlerOptions,
): Handler<C, R>;
export function filter<C extends Context, const R extends Returned>(
  predicate: (ctx: C) => MaybePromise<boolean>,
  callback: Callback<C, R>,
  options?: HandlerOptions,
): Handler<C, R>;
export function filter<C extends Context, const R extends Returned>(
  predicate: (ctx: C) => MaybePromise<boolean>,
  callback: Callback<C, R>,
  options?: HandlerOptions,
): Handler<C, R> {
  return handler(predicate, callback, undefined, options);
}

function handler<C extends Context, D extends C, R>(
  check: (ctx: C) => MaybePromise<boolean>,
  callback: Callback<D, R>,
  updates: readonly string[] | undefined,
  { block }: HandlerOptions = {},
): Handler<C, R> {
  const own = (ctx: C): R | Promise<R> => callback(ctx as D);
  // Messages call it so.
  Object.defineProperty(own, "name", { value: callback.name });
  return { check, callback: own, block, updates };
}

/** `"message:text"` is about messages, `":text"` and `"::url"` about messages and channel posts. */
function updatesOf(query: string): readonly string[] {
  const [kind = ""] = query.split(":");
  if (kind === "") return CONTENT;
  // grammY's shortcuts.
  if (kind === "msg") return CONTENT;
  if (kind === "edit") return ["edited_message", "edited_channel_post"];
  return [kind];
}
