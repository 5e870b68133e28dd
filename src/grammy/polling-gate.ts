import type { ApiResponse, Update } from "@grammyjs/types";
import type { ApiCallFn, RawApi, Transformer } from "grammy";
import type { Engine } from "../engine/engine.ts";
import type { Lifetime } from "./lifetime.ts";

type Payload = NonNullable<Parameters<RawApi["getUpdates"]>[0]>;
type Answer = ApiResponse<Update[]>;
type Signal = Parameters<ApiCallFn>[2];

/** How long a stop waits for Telegram, in milliseconds. */
const CONFIRM_TIMEOUT = 1000;

/** What ends every poller: an answer after which it does not try again. */
const STOPPED: Answer = { ok: false, error_code: 401, description: "perdure: the application was stopped" };

/** Opens the application if need be: by itself, or as the beginning of a bot that starts. */
export type OpenLifetime = (isBeginning: boolean) => Lifetime;

/**
 * Stands between Telegram and whoever polls: `app.run()`, `bot.start()`, the runner. What Telegram delivers is in the
 * inbox before the poller sees it; so it may be confirmed with the next call, whatever the poller has done by then.
 * The open updates of an earlier run are delivered first.
 */
export class PollingGate {
  readonly #open: OpenLifetime;
  /** The offset that confirms all that this process has accepted. Ids may start anew, so it is not the highest id. */
  #offset: number | undefined;
  /** `allowed_updates` of a call that the inbox answered: `bot.start()` sends them once only. */
  #allowedUpdates: Payload["allowed_updates"];

  constructor(open: OpenLifetime) {
    this.#open = open;
  }

  /** To be installed first, so that it runs last, next to the network. */
  readonly transformer: Transformer = async (prev, method, payload, signal) => {
    if (method === "getUpdates") return (await this.#getUpdates(prev, payload as Payload, signal)) as never;
    if (method === "deleteWebhook") await this.#beforePolling(payload as DropPending);
    if (method === "setWebhook" && isDropping(payload as DropPending)) await this.#dropPending();
    return prev(method, payload, signal);
  };

  /** `bot.start()` and `app.run()` begin with this call. A loop that begins anew has forgotten what it was handed. */
  async #beforePolling(payload: DropPending): Promise<void> {
    const engine = await this.#open(true).opened();
    engine.inbox.restart();
    if (isDropping(payload)) await engine.dropPending();
  }

  async #dropPending(): Promise<void> {
    const engine = await this.#open(true).opened();
    await engine.dropPending();
  }

  async #getUpdates(prev: ApiCallFn, payload: Payload, signal: Signal): Promise<Answer> {
    if (isFarewell(payload)) return this.#confirm(prev, payload);
    const lifetime = this.#open(false);
    const engine = await lifetime.opened();
    if (lifetime.stopping.aborted) return STOPPED;
    this.#allowedUpdates = payload.allowed_updates ?? this.#allowedUpdates;
    const giveUp = AbortSignal.any([lifetime.stopping, nativeSignal(signal)]);
    try {
      const open = await engine.inbox.replay(payload.limit ?? 100, giveUp);
      return open.length > 0 ? { ok: true, result: open } : await this.#fetch(engine, prev, payload, signal, giveUp);
    } catch (error) {
      // What was fetched and could not be accepted is not confirmed: Telegram delivers it again.
      if (lifetime.stopping.aborted) return STOPPED;
      throw error;
    }
  }

  /** Asks Telegram until there is something new: what is known already is confirmed by the next call. */
  async #fetch(
    engine: Engine,
    prev: ApiCallFn,
    payload: Payload,
    signal: Signal,
    giveUp: AbortSignal,
  ): Promise<Answer> {
    // A negative offset asks to forget all but the newest: the caller's wish, for the first call.
    for (let wish = (payload.offset ?? 0) < 0 ? payload.offset : undefined; ; wish = undefined) {
      const answer = (await prev("getUpdates", this.#complete(payload, wish), signal)) as Answer;
      if (!answer.ok) return answer;
      this.#allowedUpdates = undefined;
      const last = answer.result.at(-1);
      if (last === undefined) return answer;
      const fresh = await engine.inbox.accept(answer.result, giveUp);
      this.#offset = last.update_id + 1;
      if (fresh.length > 0) return { ok: true, result: fresh };
    }
  }

  /**
   * Confirms, so that Telegram need not deliver again what would be recognised anyway; so its failure is none, and it does
   * not hold up a stop. What comes back is discarded by the caller, so it is not accepted; Telegram delivers it again.
   */
  async #confirm(prev: ApiCallFn, payload: Payload): Promise<Answer> {
    const signal = AbortSignal.timeout(CONFIRM_TIMEOUT) as never;
    await prev("getUpdates", this.#complete(payload, undefined), signal).catch(() => {});
    return { ok: true, result: [] };
  }

  #complete(payload: Payload, offset: number | undefined): Payload {
    const allowed = this.#allowedUpdates === undefined ? {} : { allowed_updates: this.#allowedUpdates };
    return { ...payload, ...allowed, offset: offset ?? this.#offset ?? 0 };
  }
}

interface DropPending {
  readonly drop_pending_updates?: boolean;
}

function isDropping(payload: DropPending): boolean {
  return payload.drop_pending_updates === true;
}

/** The last call of `bot.stop()`: it tells the offset and does not want updates. */
function isFarewell(payload: Payload): boolean {
  return payload.limit === 1 && payload.timeout === undefined;
}

/** grammY's own signals come from a polyfill, which Node's functions do not take. */
function nativeSignal(signal: Signal): AbortSignal {
  const controller = new AbortController();
  if (signal?.aborted === true) controller.abort();
  signal?.addEventListener("abort", () => controller.abort());
  return controller.signal;
}
