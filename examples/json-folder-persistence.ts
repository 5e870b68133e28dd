// A persistence of your own: a folder of JSON files, one for each chat and each user. docs/own-persistence.md walks through it.
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BasePersistence, type BasePersistenceOptions, type Data, type KeptTypes } from "perdure";
import type { CallbackData, ConversationEntry, ConversationId, UntypedKept } from "perdure";

export class JsonFolderPersistence<K extends KeptTypes = UntypedKept> extends BasePersistence<K> {
  readonly #folder: string;

  constructor({ folder, ...options }: BasePersistenceOptions & { folder: string }) {
    super(options);
    this.#folder = folder;
  }

  getBotData(): Promise<Data<K, "bot"> | undefined> {
    return this.#read("bot");
  }

  getChatData(): Promise<Map<number, Data<K, "chat">>> {
    return this.#readAll("chat");
  }

  getUserData(): Promise<Map<number, Data<K, "user">>> {
    return this.#readAll("user");
  }

  getCallbackData(): Promise<CallbackData | undefined> {
    return this.#read("callback-data");
  }

  updateBotData(data: Data<K, "bot">): Promise<void> {
    return this.#write("bot", data);
  }

  updateChatData(id: number, data: Data<K, "chat">): Promise<void> {
    return this.#write(`chat ${id}`, data);
  }

  updateUserData(id: number, data: Data<K, "user">): Promise<void> {
    return this.#write(`user ${id}`, data);
  }

  updateCallbackData(data: CallbackData): Promise<void> {
    return this.#write("callback-data", data);
  }

  dropChatData(id: number): Promise<void> {
    return this.#remove(`chat ${id}`);
  }

  dropUserData(id: number): Promise<void> {
    return this.#remove(`user ${id}`);
  }

  async getConversations(name: string): Promise<readonly ConversationEntry[]> {
    const found: ConversationEntry[] = [];
    for (const file of await this.#files("conversation")) {
      const [of, ...id] = JSON.parse(decodeURIComponent(file)) as [string, ...ConversationId];
      if (of === name) found.push([id, await this.#read(conversationFile(name, id))]);
    }
    return found;
  }

  updateConversation(name: string, id: ConversationId, state: unknown): Promise<void> {
    const file = conversationFile(name, id);
    return state === null || state === undefined ? this.#remove(file) : this.#write(file, state);
  }

  async #readAll<T>(kind: string): Promise<Map<number, T>> {
    const found = new Map<number, T>();
    for (const id of await this.#files(kind)) found.set(Number(id), (await this.#read<T>(`${kind} ${id}`)) as T);
    return found;
  }

  /** What comes after the kind in the names of its files. */
  async #files(kind: string): Promise<string[]> {
    await mkdir(this.#folder, { recursive: true });
    const files = await readdir(this.#folder);
    return files.flatMap((file) => new RegExp(`^${kind} (.*)\\.json$`).exec(file)?.[1] ?? []);
  }

  /** Only a file that is not there is empty: every other failure must reject. */
  async #read<T>(name: string): Promise<T | undefined> {
    const text = await readFile(join(this.#folder, `${name}.json`), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    return text === undefined ? undefined : (this.codec.decode(text, { name, live: this.live }) as T);
  }

  /** Under another name first: whoever reads, also after a power cut, finds the old content or the new one. */
  async #write(name: string, value: unknown): Promise<void> {
    const file = join(this.#folder, `${name}.json`);
    const text = this.codec.encode(value, { name, live: this.live });
    await mkdir(this.#folder, { recursive: true });
    await writeFile(`${file}.new`, text, { flush: true });
    await rename(`${file}.new`, file);
  }

  async #remove(name: string): Promise<void> {
    await rm(join(this.#folder, `${name}.json`), { force: true });
  }
}

function conversationFile(name: string, id: ConversationId): string {
  return `conversation ${encodeURIComponent(JSON.stringify([name, ...id]))}`;
}
