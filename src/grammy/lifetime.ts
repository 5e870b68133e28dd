import type { Engine } from "../engine/engine.ts";
import { PerdureError } from "../errors.ts";

/** What is done in a lifetime. Each step is taken once. */
export interface LifetimeSteps {
  /** Opens the persistence; gives up when the lifetime is to stop. Nothing is left open where it rejects. */
  open(lifetime: Lifetime): Promise<Engine>;
  /** Stops fetching, and waits for what runs. */
  stop(lifetime: Lifetime, engine: Engine): Promise<void>;
  /** Closes the persistence. */
  close(lifetime: Lifetime): Promise<void>;
}

/** The part of a lifetime that calls need. */
export type OpenLifetime = Pick<Lifetime, "opened" | "stopping">;

/** The application from its opening to its closing. There is one at a time; each step happens once, whoever asks for it. */
export class Lifetime {
  readonly #steps: LifetimeSteps;
  readonly #stopping = new AbortController();
  readonly #opened: Promise<Engine>;
  #stopped: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  /** There as soon as the persistence is open: `postInit` may use what waits for the opening otherwise. */
  engine: Engine | undefined;
  /** There when `postInit` has ended. */
  ready: Engine | undefined;

  constructor(steps: LifetimeSteps) {
    this.#steps = steps;
    this.#opened = steps.open(this);
    this.#opened.then(
      (engine) => (this.ready = engine),
      () => {},
    );
  }

  /** Aborted when it begins to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves when the persistence is open and `postInit` has ended. */
  opened(): Promise<Engine> {
    return this.#opened;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort(new PerdureError("PERDURE_STOPPED", "The application was stopped."));
    const engine = await this.#opened.catch(() => undefined);
    if (engine !== undefined) await this.#steps.stop(this, engine);
  }

  async #close(): Promise<void> {
    try {
      await this.stop();
    } finally {
      // An opening that failed has left nothing open.
      const engine = await this.#opened.catch(() => undefined);
      if (engine !== undefined) await this.#steps.close(this);
    }
  }
}
