/** What goes wrong. */
export type FaultKind = Fault["kind"];

/** How many calls or deliveries a fault hits, and whose. */
export interface FaultCount {
  /** Only this bot's. Default: every bot's. */
  token?: string | undefined;
  /** How many are hit, 1 by default. */
  times?: number | "always" | undefined;
  /** How many that match pass first, 0 by default. */
  after?: number | undefined;
}

/** Which calls a fault hits. */
export interface FaultScope extends FaultCount {
  /** Only calls of this method. Default: every method. */
  method?: string | undefined;
}

/** The call is refused and nothing happens. */
export interface ErrorFault extends FaultScope {
  kind: "error";
  /** An HTTP status and Bot API error code, such as 429, 500 or 403. */
  code: number;
  /** Default: Telegram's wording for the code. */
  description?: string | undefined;
  /** Seconds, for 429: `parameters.retry_after` and the Retry-After header. */
  retryAfter?: number | undefined;
}

/** The connection is cut after the call has had its effect, before the answer: the bot cannot know. */
export interface LostResponseFault extends FaultScope {
  kind: "lostResponse";
}

/** The connection is cut before the call has any effect. */
export interface LostRequestFault extends FaultScope {
  kind: "lostRequest";
}

/** The call takes effect, and is answered, later. */
export interface DelayFault extends FaultScope {
  kind: "delay";
  milliseconds: number;
}

/** The call is never answered. It ends when the bot gives up, or with `clearFaults()`. */
export interface HangFault extends FaultScope {
  kind: "hang";
  /** Whether the call has its effect all the same. Default false. */
  afterEffect?: boolean | undefined;
}

/**
 * A webhook delivery: the bot gets the update and answers, and the connection is cut before Telegram has read the answer.
 * So the bot has done its work and the update comes again.
 */
export interface LostAcknowledgementFault extends FaultCount {
  kind: "lostAcknowledgement";
}

/** A webhook delivery: the bot gets the update, and Telegram cuts the connection if no answer came in time. */
export interface WebhookTimeoutFault extends FaultCount {
  kind: "webhookTimeout";
  /** How long Telegram waits. 0 cuts the connection as soon as the bot has the request. */
  milliseconds: number;
}

/** What goes wrong with a call. */
export type CallFault = ErrorFault | LostResponseFault | LostRequestFault | DelayFault | HangFault;

/** What goes wrong with a webhook delivery. */
export type WebhookFault = LostAcknowledgementFault | WebhookTimeoutFault;

/** Something that goes wrong between a bot and Telegram. */
export type Fault = CallFault | WebhookFault;

function isWebhookFault(fault: Fault): fault is WebhookFault {
  return fault.kind === "lostAcknowledgement" || fault.kind === "webhookTimeout";
}

/** A fault that is set up, and how far it has come. */
export class FaultRule<F extends Fault = Fault> {
  readonly id: number;
  readonly fault: F;
  #toSkip: number;
  #remaining: number;
  #hits = 0;
  #hitListeners: (() => void)[] = [];
  #endListeners = new Set<() => void>();

  constructor(id: number, fault: F) {
    this.id = id;
    this.fault = fault;
    this.#toSkip = fault.after ?? 0;
    this.#remaining = fault.times === "always" ? Infinity : (fault.times ?? 1);
  }

  /** Whether this rule has hit all the calls that it was to hit. */
  get isSpent(): boolean {
    return this.#remaining <= 0;
  }

  coversCall(token: string, method: string): this is FaultRule<CallFault> {
    const { fault } = this;
    if (isWebhookFault(fault) || (fault.token !== undefined && fault.token !== token)) return false;
    return fault.method === undefined || fault.method.toLowerCase() === method.toLowerCase();
  }

  coversDelivery(token: string): this is FaultRule<WebhookFault> {
    const { fault } = this;
    return isWebhookFault(fault) && (fault.token === undefined || fault.token === token);
  }

  /** Counts a call or delivery that this rule covers; whether it is hit. */
  count(): boolean {
    if (this.#toSkip > 0) {
      this.#toSkip -= 1;
      return false;
    }
    this.#remaining -= 1;
    this.#hits += 1;
    for (const listener of this.#hitListeners.splice(0)) listener();
    return true;
  }

  /** Calls `listener` at the first hit, at once if it was. Returns how to give up. */
  whenHit(listener: () => void): () => void {
    if (this.#hits > 0) {
      listener();
      return () => {};
    }
    this.#hitListeners.push(listener);
    return () => {
      this.#hitListeners = this.#hitListeners.filter((other) => other !== listener);
    };
  }

  /** Calls `listener` when the rule is taken away, which is what calls that hang wait for. */
  whenEnded(listener: () => void): () => void {
    this.#endListeners.add(listener);
    return () => this.#endListeners.delete(listener);
  }

  end(): void {
    for (const listener of this.#endListeners) listener();
    this.#endListeners.clear();
  }
}

/** The faults that are set up, in that order. The first that covers a call and has nothing to skip hits it. */
export class Faults {
  readonly #rules = new Map<number, FaultRule>();
  /** Those that have calls left to hit. */
  readonly #active = new Set<FaultRule>();
  #lastId = 0;
  #isUnreachable = false;
  #unreachableListener: (() => void) | undefined;

  /** Whether bots reach Telegram at all. */
  get isUnreachable(): boolean {
    return this.#isUnreachable;
  }

  setUnreachable(isUnreachable: boolean): void {
    this.#isUnreachable = isUnreachable;
    if (isUnreachable) this.#unreachableListener?.();
  }

  /** The one listener that cuts the connections that are open. */
  onUnreachable(listener: () => void): void {
    this.#unreachableListener = listener;
  }

  add(fault: Fault): FaultRule {
    this.#lastId += 1;
    const rule = new FaultRule(this.#lastId, fault);
    this.#rules.set(rule.id, rule);
    this.#active.add(rule);
    return rule;
  }

  find(id: number): FaultRule | undefined {
    return this.#rules.get(id);
  }

  /** The fault that hits this call. */
  forCall(token: string, method: string): FaultRule<CallFault> | undefined {
    for (const rule of this.#active) if (rule.coversCall(token, method) && this.#count(rule)) return rule;
    return undefined;
  }

  /** The fault that hits this webhook delivery. */
  forDelivery(token: string): FaultRule<WebhookFault> | undefined {
    for (const rule of this.#active) if (rule.coversDelivery(token) && this.#count(rule)) return rule;
    return undefined;
  }

  #count(rule: FaultRule): boolean {
    const isHit = rule.count();
    if (rule.isSpent) this.#active.delete(rule);
    return isHit;
  }

  remove(id: number): void {
    const rule = this.#rules.get(id);
    if (rule === undefined) return;
    this.#rules.delete(id);
    this.#active.delete(rule);
    rule.end();
  }

  clear(): void {
    for (const id of this.#rules.keys()) this.remove(id);
  }
}
