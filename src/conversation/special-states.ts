/** Returned by a callback, it ends the conversation. The number is python-telegram-bot's (PTB statement 130), as the others are. */
export const END: -1 = -1;

/** The key in `states` of the handlers that run when a conversation times out. */
export const TIMEOUT: -2 = -2;

/** The key in `states` of the handlers that run while a callback with `block: false` is under way. */
export const WAITING: -3 = -3;
