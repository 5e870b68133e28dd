/** What a PicklePersistence keeps, in the order and by the names of python-telegram-bot's single file (PTB statement 24). */
export const PICKLE_KINDS = ["conversations", "user_data", "chat_data", "bot_data", "callback_data"] as const;

/** One of them. */
export type PickleKind = (typeof PICKLE_KINDS)[number];
