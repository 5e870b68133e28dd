import type { ApiResponse, Update } from "@grammyjs/types";
import type { ApiCallFn, RawApi, Transformer } from "grammy";
import type { Engine } from "../engine/engine.ts";
import type { StopSignal } from "../engine/retry.ts";
import type { OpenLifetime } from "./lifetime.ts";

type Payload = NonNullable<Parameters<RawApi["getUpdates"]>[0]>;
type Answer = ApiResponse<Update[]>;
type Signal = Parameters<ApiCallFn>[2];

/** How long a stop waits for Telegram, in milliseconds. */
const CONFIRM_TIMEOUT = 1000;

/** What ends every poller: an answer after which it does not try again. */
const STOPPED: Answer = { ok: false, error_code: 401, description: "perdure: the application was stopped" };

/** What the gate needs of the application. */
export interface PollingGateOptions {
  /** Opens it if need be: by itself, or as the beginning of a bot that starts. */
  readonly open: (isBeginning: boolean) => OpenLifetime;
  /** Whether a call that pollers begin with is made by one, and not by a handler or by a program that ends. */
  readonly isBeginning: () => boolean;
  /** Called whenever updates are asked for: the bot runs. */
  readonly onPolling: () => void;
  /** What is open, without opening it. */
  readonly current: () => OpenLifetime | undefined;
}

/**
 * Stands between Telegram and whoever polls: `app.run()`, `bot.start()`, the runner. What Telegram delivers is in the
 * inbox before the poller sees it; once it is durable there, the next call confirms it, whatever the poller has done by then.
 * The open updates of an earlier run are delivered first.
 */
export class PollingGate {
  readonly #options: PollingGateOptions;
  /** The offset that confirms all that this process has accepted. Ids may start anew, so it is not the highest id. */
  #accepted: number | undefined;
  /** The offset that confirms what of that is known to be durable. */
  #offset: number | undefined;
  /** The one that has accepted them. */
  #engine: Engine | undefined;
  /** `allowed_updates` of a call that the inbox answered: `bot.start()` sends them once only. */
  #allowedUpdates: Payload["allowed_updates"];

  constructor(options: PollingGateOptions) {
    this.#options = options;
  }

  /** Whether it has accepted updates that Telegram has delivered. */
  get hasAccepted(): boolean {
    return this.#accepted !== undefined;
  }

  /** To be installed first, so that it runs last, next to the network. */
  readonly transformer: Transformer = async (prev, method, payload, signal) => {
    if (method === "getUpdates") return (await this.#getUpdates(prev, payload as Payload, signal)) as never;
    if (method === "deleteWebhook") await this.#beforePolling(payload as DropPending);
    if (method === "setWebhook") await this.#dropPending(payload as DropPending);
    return prev(method, payload, signal);
  };

  /** `bot.start()` and `app.run()` begin with this call. A loop that begins anew has forgotten what it was handed. */
  async #beforePolling(payload: DropPending): Promise<void> {
    if (this.#options.isBeginning()) {
      const engine = await this.#options.open(true).opened();
      engine.inbox.restart();
    }
    await this.#dropPending(payload);
  }

  async #dropPending({ drop_pending_updates: isWanted }: DropPending): Promise<void> {
    const lifetime = this.#options.current();
    if (isWanted !== true || lifetime === undefined || lifetime.stopping.aborted) return;
    const engine = await lifetime.opened();
    await engine.dropPending();
  }

  async #getUpdates(prev: ApiCallFn, payload: Payload, signal: Signal): Promise<Answer> {
    if (isFarewell(payload)) return this.#confirm(prev, payload);
    const lifetime = this.#options.open(false);
    const engine = await lifetime.opened();
    this.#engine = engine;
    if (lifetime.stopping.aborted) return STOPPED;
    this.#options.onPolling();
    this.#allowedUpdates = payload.allowed_updates ?? this.#allowedUpdates;
    try {
      return await this.#fetch(engine, prev, payload, signal, lifetime.stopping);
    } catch (error) {
      // What was fetched and could not be accepted is not confirmed: Telegram delivers it again.
      if (lifetime.stopping.aborted) return STOPPED;
      throw error;
    }
  }

  /** What is left of an earlier run; then Telegram is asked until there is something new: what is known is confirmed. */
  async #fetch(
    engine: Engine,
    prev: ApiCallFn,
    payload: Payload,
    signal: Signal,
    stopping: AbortSignal,
  ): Promise<Answer> {
    const signals: StopSignal[] = signal === undefined ? [stopping] : [stopping, signal];
    // A negative offset asks to forget all but the newest: the caller's wish, for the first call.
    for (let wish = (payload.offset ?? 0) < 0 ? payload.offset : undefined; ; wish = undefined) {
      const open = await engine.inbox.replay(payload.limit ?? 100, signals);
      if (open.length > 0) return { ok: true, result: open };
      const accepted = this.#accepted;
      await engine.inbox.sync(signals);
      this.#offset = accepted;
      if (stopping.aborted) return STOPPED;
      const answer = (await prev("getUpdates", this.#complete(payload, wish), signal)) as Answer;
      if (!answer.ok) return answer;
      this.#allowedUpdates = undefined;
      const last = answer.result.at(-1);
      if (last === undefined) return answer;
      const fresh = await engine.inbox.accept(answer.result, signals);
      this.#accepted = last.update_id + 1;
      if (fresh.length > 0) return { ok: true, result: fresh };
    }
  }

  /**
   * Confirms, so that Telegram need not deliver again what would be recognised anyway; so its failure is none, and it does
   * not hold up a stop. What comes back is discarded by the caller, so it is not accepted; Telegram delivers it again.
   */
  async #confirm(prev: ApiCallFn, payload: Payload): Promise<Answer> {
    const signal = AbortSignal.timeout(CONFIRM_TIMEOUT);
    const isSynced = this.#accepted !== this.#offset && this.#engine?.inbox.isSynced();
    const timeout = new Promise<false>((resolve) => signal.addEventListener("abort", () => resolve(false)));
    if (await Promise.race([isSynced, timeout])) this.#offset = this.#accepted;
    await prev("getUpdates", this.#complete(payload, undefined), signal as never).catch(() => {});
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

/** The last call of `bot.stop()`: it tells the offset and does not want updates. */
function isFarewell(payload: Payload): boolean {
  return payload.limit === 1 && payload.timeout === undefined;
}
