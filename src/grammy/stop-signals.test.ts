import { expect, onTestFinished, test, vi } from "vitest";
import { onStopSignal } from "./stop-signals.ts";

const listeners = (): number[] => (["SIGINT", "SIGTERM"] as const).map((signal) => process.listenerCount(signal));

/** What `process.kill` is called with, which must not happen to the process of the tests. */
function kills(): unknown[] {
  const calls: unknown[] = [];
  const spy = vi.spyOn(process, "kill").mockImplementation((...call) => {
    calls.push(call);
    return true;
  });
  onTestFinished(() => spy.mockRestore());
  return calls;
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s stops once; a second signal of either kind ends the process",
  (signal) => {
    const before = listeners();
    const killed = kills();
    const stopped: string[] = [];
    onTestFinished(onStopSignal((heard) => void stopped.push(heard)));
    process.emit(signal, signal);
    expect([stopped, killed]).toEqual([[signal], []]);
    process.emit("SIGINT", "SIGINT");
    expect([stopped, killed]).toEqual([[signal], [[process.pid, "SIGINT"]]]);
    // Nobody listens any more: the signal does what it does by default.
    expect(listeners()).toEqual(before);
  },
);

test("the end of the listening leaves no listener, before and after a signal", () => {
  const before = listeners();
  const quit = onStopSignal(() => {});
  expect(listeners()).toEqual(before.map((count) => count + 1));
  quit();
  expect(listeners()).toEqual(before);
  const quitLater = onStopSignal(() => {});
  process.emit("SIGTERM", "SIGTERM");
  quitLater();
  expect(listeners()).toEqual(before);
});
