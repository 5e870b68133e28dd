import { AsyncLocalStorage } from "node:async_hooks";
import type { Lifetime } from "./lifetime.ts";

type HookName = "postInit" | "postStop" | "postShutdown";

/** The functions of the options that are called in the course of a lifetime. */
export class Hooks {
  readonly #functions: { readonly [N in HookName]?: ((application: never) => unknown) | undefined };
  readonly #application: unknown;
  readonly #lifetime = new AsyncLocalStorage<Lifetime>();

  constructor(
    functions: { readonly [N in HookName]?: ((application: never) => unknown) | undefined },
    application: unknown,
  ) {
    this.#functions = functions;
    this.#application = application;
  }

  /** The lifetime in one of whose functions the caller is: what it calls must not wait for what waits for it. */
  get lifetime(): Lifetime | undefined {
    return this.#lifetime.getStore();
  }

  /** Rejects with what the function throws. */
  async call(name: HookName, lifetime: Lifetime): Promise<void> {
    await this.#lifetime.run(lifetime, async () => this.#functions[name]?.(this.#application as never));
  }
}
