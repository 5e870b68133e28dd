import type { ApiResponse, Update } from "@grammyjs/types";
import type { ApiCallFn, RawApi, Transformer } from "grammy";
import type { Engine } from "../engine/engine.ts";

type Payload = NonNullable<Parameters<RawApi["getUpdates"]>[0]>;
type Answer = ApiResponse<Update[]>;
type Signal = Parameters<ApiCallFn>[2];

/** How long a stop waits for Telegram, in milliseconds. */
const CONFIRM_TIMEOUT = 1000;

/**
 * Stands between Telegram and whoever polls: `app.run()`, `bot.start()`, the runner. What Telegram delivers is in the
 * inbox before the poller sees it; so it may be confirmed with the next call, whatever the poller has done by then.
 * The open updates of an earlier run are delivered first.
 */
export class PollingGate {
  readonly #engine: () => Promise<Engine>;
  /** The offset that confirms all that this process has accepted. Ids may start anew, so it is not the highest id. */
  #offset: number | undefined;
  /** `allowed_updates` of a call that the inbox answered: `bot.start()` sends them once only. */
  #allowedUpdates: Payload["allowed_updates"];

  /** `engine` opens the application if need be. */
  constructor(engine: () => Promise<Engine>) {
    this.#engine = engine;
  }

  /** To be installed first, so that it runs last, next to the network. */
  readonly transformer: Transformer = async (prev, method, payload, signal) => {
    if (method === "getUpdates") return (await this.#getUpdates(prev, payload as Payload, signal)) as never;
    if (method === "deleteWebhook") await this.#beforePolling(payload as { drop_pending_updates?: boolean });
    return prev(method, payload, signal);
  };

  /** `bot.start()` and `app.run()` begin with this call. A loop that begins anew has forgotten what it was handed. */
  async #beforePolling(payload: { drop_pending_updates?: boolean }): Promise<void> {
    const engine = await this.#engine();
    engine.inbox.restart();
    if (payload.drop_pending_updates === true) await engine.dropPending();
  }

  async #getUpdates(prev: ApiCallFn, payload: Payload, signal: Signal): Promise<Answer> {
    const engine = await this.#engine();
    this.#allowedUpdates = payload.allowed_updates ?? this.#allowedUpdates;
    if (isFarewell(payload)) return this.#confirm(prev, payload);
    const open = await engine.inbox.replay(payload.limit ?? 100);
    return open.length > 0 ? { ok: true, result: open } : this.#fetch(engine, prev, payload, signal);
  }

  /** Asks Telegram until there is something new: what is known already is confirmed by the next call. */
  async #fetch(engine: Engine, prev: ApiCallFn, payload: Payload, signal: Signal): Promise<Answer> {
    for (;;) {
      const answer = (await prev("getUpdates", this.#withOffset(payload), signal)) as Answer;
      if (!answer.ok) return answer;
      this.#allowedUpdates = undefined;
      const last = answer.result.at(-1);
      if (last === undefined) return answer;
      const fresh = await engine.inbox.accept(answer.result);
      this.#offset = last.update_id + 1;
      if (fresh.length > 0) return { ok: true, result: fresh };
    }
  }

  /**
   * Confirms, so that Telegram need not deliver again what would be recognised anyway; so its failure is none, and it does
   * not hold up a stop. What comes back is discarded by the caller, so it is not accepted; Telegram delivers it again.
   */
  async #confirm(prev: ApiCallFn, payload: Payload): Promise<Answer> {
    await prev("getUpdates", this.#withOffset(payload), AbortSignal.timeout(CONFIRM_TIMEOUT) as never).catch(() => {});
    return { ok: true, result: [] };
  }

  #withOffset(payload: Payload): Payload {
    const allowed = this.#allowedUpdates === undefined ? {} : { allowed_updates: this.#allowedUpdates };
    // A negative offset asks to forget all but the newest: the caller's wish.
    const offset = (payload.offset ?? 0) < 0 ? payload.offset : (this.#offset ?? 0);
    return { ...payload, ...allowed, ...(offset === undefined ? {} : { offset }) };
  }
}

/** The last call of `bot.stop()`: it tells the offset and does not want updates. */
function isFarewell(payload: Payload): boolean {
  return payload.limit === 1 && payload.timeout === undefined;
}
