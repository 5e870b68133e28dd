/** Where the engine gets its time from. Times are in milliseconds. */
export interface Clock {
  /** Milliseconds since 1970. Fractions do not count. */
  now(): number;
  /** Calls once after so many milliseconds. What is returned takes it back. */
  after(milliseconds: number, call: () => void): () => void;
}

/** A clock whose times are whole milliseconds, as they are kept. */
export function inWholeMilliseconds(clock: Clock): Clock {
  return { now: () => Math.floor(clock.now()), after: (milliseconds, call) => clock.after(milliseconds, call) };
}

/** The longest time that Node's timers take; a longer one would be over at once. */
const LONGEST = 2 ** 31 - 1;

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, Math.min(milliseconds, LONGEST));
    return () => clearTimeout(timer);
  },
};
