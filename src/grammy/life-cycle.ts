import type { Engine } from "../engine/engine.ts";
import type { Reporter } from "../engine/reporter.ts";
import { PerdureError } from "../errors.ts";
import type { Hooks } from "./hooks.ts";
import { Lifetime, type OpenLifetime } from "./lifetime.ts";
import type { Runtime } from "./runtime.ts";

/** The lifetimes of an application, one after the other: who may begin one, and who waits for its end. */
export class LifeCycle {
  readonly #runtime: Runtime;
  readonly #hooks: Hooks;
  readonly #reporter: Reporter;
  #lifetime: Lifetime | undefined;

  constructor(runtime: Runtime, hooks: Hooks, reporter: Reporter) {
    this.#runtime = runtime;
    this.#hooks = hooks;
    this.#reporter = reporter;
  }

  /** The lifetime that there is, from its opening to its closing. */
  get lifetime(): Lifetime | undefined {
    return this.#lifetime;
  }

  /** The same for calls that may be made in a function that the opening waits for. */
  get current(): OpenLifetime | undefined {
    return this.#inHook ?? this.#lifetime;
  }

  /**
   * The lifetime that there is, or a new one. After a shutdown only what begins a bot may open it: throws `PERDURE_CLOSED` for everything else,
   * and `PERDURE_LIFE_CYCLE` for what begins a bot while it stops.
   */
  open(isBeginning: boolean): OpenLifetime {
    const inHook = this.#inHook;
    if (inHook !== undefined) return inHook;
    if (this.#lifetime !== undefined) {
      if (isBeginning && this.#lifetime.stopping.aborted) throw runningAlready();
      return this.#lifetime;
    }
    if (this.#runtime.isClosed && !isBeginning) throw shutDown();
    const lifetime = new Lifetime(this.#runtime);
    this.#lifetime = lifetime;
    lifetime.opened().catch(() => this.#forget(lifetime));
    return lifetime;
  }

  /** The engine, opened if need be. Those who wait for it go on in the order of their calls: it is the order of their turns. */
  opened(): Promise<Engine> {
    try {
      return this.open(false).opened();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Does what belongs to the update where it is called in a handler: at once, so that a handler that does not wait for it is found.
   * Elsewhere the application is opened if need be.
   */
  joining<T>(work: (engine: Engine) => Promise<T>): Promise<T> {
    const { engine } = this.#runtime;
    if (engine?.isInUnit !== true) return this.opened().then(work);
    try {
      return work(engine);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Called again, it is one stop; before the opening, it does nothing. */
  async stop(): Promise<void> {
    await this.#unlessInside(this.#lifetime?.stop());
  }

  /** Stops if need be, and closes. */
  async shutdown(): Promise<void> {
    const lifetime = this.#lifetime;
    await this.#unlessInside(lifetime?.close().finally(() => this.#forget(lifetime)));
  }

  /** The lifetime to those who must not wait for its opening, since it waits for them. */
  get #inHook(): OpenLifetime | undefined {
    const lifetime = this.#hooks.lifetime;
    const engine = lifetime?.engine;
    if (lifetime === undefined || engine === undefined || lifetime !== this.#lifetime) return undefined;
    return { stopping: lifetime.stopping, opened: () => Promise.resolve(engine) };
  }

  #forget(lifetime: Lifetime): void {
    if (this.#lifetime === lifetime) this.#lifetime = undefined;
  }

  /** Waits for a stop, unless the stop waits for the caller. */
  async #unlessInside(stopping: Promise<void> | undefined): Promise<void> {
    const isInside = this.#runtime.engine?.isInPassage === true || this.#hooks.lifetime !== undefined;
    if (!isInside) return stopping;
    stopping?.catch((error: unknown) => this.#reporter.report(error));
  }
}

/** What begins a bot that has begun. */
export function runningAlready(): PerdureError {
  return new PerdureError(
    "PERDURE_LIFE_CYCLE",
    "This application is running already. It can begin anew after shutdown().",
  );
}

function shutDown(): PerdureError {
  return new PerdureError(
    "PERDURE_CLOSED",
    "The application was shut down, and initialize() was not called again. An update that comes now is not accepted, so " +
      "Telegram delivers it again.",
  );
}
