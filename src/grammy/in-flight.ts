/** So many updates are in memory at the same time: no more are fetched while so many wait for their turn or run. */
const MOST = 1000;

/** Work that goes on, and a way to wait until there is room for more. */
export class InFlight {
  #count = 0;
  /** There as long as somebody waits for room. */
  #room: PromiseWithResolvers<void> | undefined;

  /** Counts work until it ends. It must not reject. */
  add(work: Promise<void>): void {
    this.#count += 1;
    const end = (): void => {
      this.#count -= 1;
      this.#announce();
    };
    work.then(end, end);
  }

  /** Resolves as soon as there is room, or when the signal is aborted. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#count >= MOST && !signal.aborted) {
      const announce = (): void => this.#announce();
      signal.addEventListener("abort", announce, { once: true });
      this.#room ??= Promise.withResolvers();
      await this.#room.promise;
      signal.removeEventListener("abort", announce);
    }
  }

  #announce(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
