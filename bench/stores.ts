import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { entryOf, type ContenderName } from "./contenders/all.ts";
import type { Setting } from "./contenders/contender.ts";
import { inOwnProcess } from "./processes/measured-process.ts";
import type { Servers } from "./servers/servers.ts";

/** What a store of a contender is to hold. */
export type Wanted = Omit<Setting, "folder" | "server">;

/** Where contenders keep their data: filled once, when first wanted, and used by all measurements of the run. */
export class Stores {
  readonly #folder: string;
  readonly #servers: Servers;
  readonly #filled = new Set<string>();

  constructor(folder: string, servers: Servers) {
    this.#folder = folder;
    this.#servers = servers;
  }

  /** Whether the server that a contender needs is there. */
  has(name: ContenderName): boolean {
    const { server } = entryOf(name);
    return server === undefined || this.#servers.url(server) !== undefined;
  }

  /** An empty folder. */
  newFolder(name: string): string {
    const folder = join(this.#folder, name);
    mkdirSync(folder);
    return folder;
  }

  /** The setting in which a contender finds what is wanted. */
  async setting(name: ContenderName, wanted: Wanted): Promise<Setting> {
    const { store, server } = entryOf(name);
    const place = `${store ?? name}-${wanted.chats}-${wanted.botBytes ?? 0}`;
    const folder = join(this.#folder, place);
    mkdirSync(folder, { recursive: true });
    const setting: Setting = { ...wanted, folder, server: server && this.#servers.url(server) };
    if (store !== undefined && !this.#filled.has(place)) {
      await inOwnProcess("fill", { contender: name, setting });
      this.#filled.add(place);
    }
    return setting;
  }
}
