/** What python-telegram-bot writes in the place of the bot, as persistent ids (PTB statements 50 and 51). */
export const BOT_IDS = {
  known: "a known bot replaced by PTB's PicklePersistence",
  unknown: "an unknown bot replaced by PTB's PicklePersistence",
} as const;

/** What version 13 wrote in its place: a text (PTB statement 199). */
export const BOT_TEXT = "bot_instance_replaced_by_ptb_persistence";

/** The place of a bot: the one that the file belongs to, or another one. */
export class BotReference {
  readonly bot: "known" | "unknown";

  constructor(bot: "known" | "unknown") {
    this.bot = bot;
  }
}

export const KNOWN_BOT: BotReference = new BotReference("known");
export const UNKNOWN_BOT: BotReference = new BotReference("unknown");
