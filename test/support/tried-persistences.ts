import type { BasePersistence } from "../../src/persistence/base-persistence.ts";
import type { Abilities } from "../../src/persistence/atomic-persistence.ts";
import type { TestPersistenceOptions } from "../../src/testing/index.ts";
import { Shelf } from "./plain-memory.ts";
import { RemoteServer } from "./remote-server.ts";

/** The options of the conformance suite for a class that keeps its data on a {@link RemoteServer}. */
export function onRemoteServer(
  make: (server: RemoteServer) => BasePersistence,
  abilities: Abilities = { atomic: true, durable: "disk", shared: true, lazy: true },
): TestPersistenceOptions<RemoteServer> {
  return {
    place: () => new RemoteServer(),
    make,
    abilities,
    snapshot: (server) => server.snapshot(),
    breakReading: (server) => {
      server.readingFails = new Error("the server cannot read its disk");
      return () => void (server.readingFails = undefined);
    },
    breakWriting: (server) => {
      server.writingFails = new Error("the server's disk is full");
      return () => void (server.writingFails = undefined);
    },
  };
}

/** Likewise, for a plain class that keeps its data on a {@link Shelf}. */
export function onShelf(make: (shelf: Shelf) => BasePersistence): TestPersistenceOptions<Shelf> {
  return {
    place: () => new Shelf(),
    make,
    abilities: "plain",
    snapshot: (shelf) => {
      const copy = new Shelf();
      for (const [place, text] of shelf.texts) copy.texts.set(place, text);
      return copy;
    },
    breakReading: (shelf) => {
      shelf.readingFails = new Error("the shelf is locked");
      return () => void (shelf.readingFails = undefined);
    },
    breakWriting: (shelf) => {
      shelf.writingFails = new Error("the shelf is full");
      return () => void (shelf.writingFails = undefined);
    },
  };
}
