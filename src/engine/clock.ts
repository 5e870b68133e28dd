/** Where the engine gets its time from. Times are in milliseconds. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls once after so many milliseconds. What is returned takes it back. */
  after(milliseconds: number, call: () => void): () => void;
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
