import { setImmediate } from "node:timers/promises";

/** How often it is looked at most while something is going on: enough for what takes a few hops, little for what takes long. */
const MOST = 200;

/** Waits for one turn of the event loop. */
export async function turn(): Promise<void> {
  await setImmediate();
}

/** Lets the event loop turn as often as whatever takes a few hops may need. */
export async function turns(): Promise<void> {
  for (let count = 0; count < MOST; count += 1) await turn();
}

/** Waits for `pending`, and meanwhile calls `look` in every turn of the event loop. */
export async function whilePending<T>(pending: Promise<T>, look: () => Promise<void>): Promise<T> {
  let over = false;
  const end = (): void => void (over = true);
  pending.then(end, end);
  for (let count = 0; count < MOST && !over; count += 1) {
    await look();
    await turn();
  }
  return pending;
}
