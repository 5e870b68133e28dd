import { Api, Bot, type Context } from "grammy";
import type { LiveObjects } from "../data/codec.ts";
import type { Logger } from "../engine/logger.ts";

/**
 * The bot and its api may stand in kept values: they are kept as a placeholder, and the current ones stand there after
 * loading. Another bot becomes nothing, with a warning (PTB statements 50, 51, 54).
 */
export function liveBot<C extends Context>(bot: Bot<C>, logger: Logger): LiveObjects {
  return {
    nameOf(object) {
      if (object === bot) return "bot";
      if (object instanceof Api && object.token === bot.token) return "api";
      if (!(object instanceof Api) && !(object instanceof Bot)) return undefined;
      logger.warn("Another bot was found in kept data. It is kept as nothing.");
      return null;
    },
    get: (name) => (name === "bot" ? bot : name === "api" ? bot.api : undefined),
  };
}
