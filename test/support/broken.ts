import type { Abilities } from "../../src/persistence/atomic-persistence.ts";
import { testPersistence, type PersistenceTest } from "../../src/testing/index.ts";
import type { PlainMemory, Shelf } from "./plain-memory.ts";
import type { RemotePersistence } from "./remote-persistence.ts";
import type { RemoteServer } from "./remote-server.ts";
import { onRemoteServer, onShelf } from "./tried-persistences.ts";

/** A class with one fault, whose name says which. */
export interface Broken {
  readonly fault: string;
  /** The cases of the conformance suite that are named after the fault. */
  readonly caughtBy: readonly string[];
  /** The suite for this class. */
  readonly cases: readonly PersistenceTest[];
}

/** An asynchronous backend with a fault. */
export function broken(
  Class: new (server: RemoteServer) => RemotePersistence,
  caughtBy: readonly string[],
  abilities?: Abilities,
): Broken {
  const options = onRemoteServer((server) => new Class(server), abilities);
  return { fault: Class.name, caughtBy, cases: testPersistence(options) };
}

/** A plain class with a fault. */
export function brokenPlain(Class: new (shelf: Shelf) => PlainMemory, caughtBy: readonly string[]): Broken {
  return { fault: Class.name, caughtBy, cases: testPersistence(onShelf((shelf) => new Class(shelf))) };
}
