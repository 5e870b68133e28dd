import type { Bot, Composer, Context } from "grammy";
import { PerdureError } from "../errors.ts";

/** Throws `PERDURE_HAS_MIDDLEWARE`: middleware above the application would run outside of the unit of work. */
export function requireNoMiddleware<C extends Context>(bot: Bot<C>): void {
  // Without middleware, all composers of one copy of grammY have the same handler. Take the bot's own copy.
  const owner = ownerOf(Object.getPrototypeOf(bot) as object, "middleware");
  const empty = new (owner.constructor as typeof Composer<C>)().middleware();
  if (bot.middleware() === empty) return;
  throw new PerdureError(
    "PERDURE_HAS_MIDDLEWARE",
    "The bot has middleware already. It would run outside of the update's transaction. " +
      "Create the Application right after the Bot, before bot.use, bot.command and bot.on.",
  );
}

function ownerOf(prototype: object, method: string): object {
  return Object.hasOwn(prototype, method) ? prototype : ownerOf(Object.getPrototypeOf(prototype) as object, method);
}

/** The bot's id, which its token begins with. Throws `PERDURE_INVALID_OPTION`. */
export function botIdOf(token: string): number {
  const id = Number(token.split(":", 1)[0]);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new PerdureError(
    "PERDURE_INVALID_OPTION",
    "The bot's token does not begin with the bot's id and a colon. Check it.",
  );
}
