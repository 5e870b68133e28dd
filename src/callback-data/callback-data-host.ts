import type { Engine } from "../engine/engine.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";

/** What callback data needs of the application. */
export interface CallbackDataHost {
  /** The bot's id, which tokens are bound to. */
  botId(): number;
  /** Milliseconds since 1970. */
  now(): number;
  /** Whether the application is open, or about to be. */
  isOpen(): boolean;
  /** The engine, opened if need be. */
  engine(): Promise<Engine>;
  /** The unit of work that the caller is a handler of. */
  current(): UnitOfWork | undefined;
  /** Does something in that unit of work, or as one of its own. */
  join<T>(name: string, work: (unit: UnitOfWork) => Promise<T>): Promise<T>;
  /** Hears what fails where nobody waits for it. */
  report(error: unknown): void;
}
