import fc from "fast-check";

/** A private chat, a group, and the supergroup that it becomes. */
const PRIVATE = 1;
export const GROUP = -10;
export const SUPERGROUP = -100;

/** Stands for everybody: has data, and no turn. */
const CHANNEL_POSTER = 777000;

export const chats: fc.Arbitrary<number> = fc.constantFrom(PRIVATE, PRIVATE, 2, GROUP, SUPERGROUP);
export const users: fc.Arbitrary<number> = fc.constantFrom(1, 1, 2, CHANNEL_POSTER);
