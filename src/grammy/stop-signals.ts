const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Calls `stop` at the first SIGINT or SIGTERM. A second one ends the process at once, as if nobody listened. Returns what
 * ends the listening.
 */
export function onStopSignal(stop: (signal: NodeJS.Signals) => void): () => void {
  const quit = (): void => {
    for (const signal of SIGNALS) process.removeListener(signal, first).removeListener(signal, second);
  };
  const first = (signal: NodeJS.Signals): void => {
    quit();
    for (const each of SIGNALS) process.on(each, second);
    stop(signal);
  };
  const second = (signal: NodeJS.Signals): void => {
    quit();
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, first);
  return quit;
}
