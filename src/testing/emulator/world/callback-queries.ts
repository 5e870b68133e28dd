/** What a bot answered to a press of a button (Bot API, answerCallbackQuery). */
export interface CallbackAnswer {
  text?: string | undefined;
  show_alert?: boolean | undefined;
  url?: string | undefined;
  /** Seconds. */
  cache_time?: number | undefined;
}

interface OpenQuery {
  readonly botId: number;
  readonly askedAt: number;
  answer: CallbackAnswer | undefined;
  listeners: ((answer: CallbackAnswer) => void)[];
}

/** Telegram does not say how long a query can be answered. Long enough for slow tests, short enough for "yesterday". */
const LIFETIME = 15 * 60 * 1000;

/** The presses of buttons that can still be answered. */
export class CallbackQueries {
  readonly #clock: () => number;
  readonly #queries = new Map<string, OpenQuery>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  open(id: string, botId: number): void {
    this.#expire();
    this.#queries.set(id, { botId, askedAt: this.#clock(), answer: undefined, listeners: [] });
  }

  /** Keeps the first answer; later ones are accepted and change nothing. False when there is no such query, or no more. */
  answer(id: string, botId: number, answer: CallbackAnswer): boolean {
    this.#expire();
    const query = this.#queries.get(id);
    if (query === undefined || query.botId !== botId) return false;
    query.answer ??= answer;
    for (const listener of query.listeners.splice(0)) listener(query.answer);
    return true;
  }

  /** Calls `listener` with the answer, at once if there is one. Returns how to give up. */
  whenAnswered(id: string, listener: (answer: CallbackAnswer) => void): () => void {
    const query = this.#queries.get(id);
    if (query?.answer !== undefined) listener(query.answer);
    else query?.listeners.push(listener);
    return () => {
      if (query !== undefined) query.listeners = query.listeners.filter((other) => other !== listener);
    };
  }

  #expire(): void {
    const oldest = this.#clock() - LIFETIME;
    for (const [id, query] of this.#queries) {
      if (query.askedAt >= oldest) return;
      this.#queries.delete(id);
    }
  }
}
