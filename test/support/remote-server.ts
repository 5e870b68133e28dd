import { PerdureError } from "../../src/errors.ts";
import { emptyState, fork, type RemoteState, type Sender } from "./remote-state.ts";

/** Who sends requests: for which bot, and with which clock. */
export interface Client {
  readonly sender: () => Sender;
}

/**
 * A database server in memory. Each request takes some turns of the event loop to come and to go back, so that one may
 * overtake another, and takes effect at one moment. What goes over the wire is copied.
 */
export class RemoteServer {
  /** What requests that read are answered with, if not with what they ask for. */
  readingFails: Error | undefined;
  /** Likewise for those that write. */
  writingFails: Error | undefined;
  /** How many requests have come. */
  requests = 0;
  /** The client that has this server for itself, where clients do that. */
  owner: Client | undefined;
  #state: RemoteState;
  readonly #hop: () => Promise<void>;
  #transaction: { readonly client: Client; state: RemoteState } | undefined;

  /** `hop` waits for one turn of the event loop. */
  constructor(hop: () => Promise<void> = nextTurn, state: RemoteState = emptyState()) {
    this.#hop = hop;
    this.#state = state;
  }

  /** What is on its disk at this moment. A transaction that is open is not. */
  snapshot(): RemoteServer {
    return new RemoteServer(this.#hop, fork(this.#state));
  }

  async read<T>(client: Client, handle: (state: RemoteState, sender: Sender) => T): Promise<T> {
    await this.#travel(1);
    this.requests += 1;
    if (this.readingFails) throw this.readingFails;
    const answer = structuredClone(handle(this.#stateFor(client), client.sender()));
    await this.#travel(1);
    return answer;
  }

  /** All or nothing. Of `weight` depends how long the request is on its way. */
  async write<T>(client: Client, weight: number, handle: (state: RemoteState, sender: Sender) => T): Promise<T> {
    await this.#travel(1 + Math.min(weight, 8));
    this.requests += 1;
    if (this.writingFails) throw this.writingFails;
    if (this.#transaction !== undefined && this.#transaction.client !== client) throw busy();
    const draft = fork(this.#stateFor(client));
    const answer = structuredClone(handle(draft, client.sender()));
    if (this.#transaction === undefined) this.#state = draft;
    else this.#transaction.state = draft;
    await this.#travel(1);
    return answer;
  }

  async begin(client: Client): Promise<void> {
    await this.#travel(1);
    if (this.#transaction !== undefined) throw busy();
    this.#transaction = { client, state: this.#state };
  }

  async end(client: Client, how: "commit" | "rollback"): Promise<void> {
    await this.#travel(1);
    const transaction = this.#transaction;
    if (transaction?.client !== client) return;
    this.#transaction = undefined;
    if (how === "rollback") return;
    if (this.writingFails) throw this.writingFails;
    this.#state = transaction.state;
    await this.#travel(1);
  }

  #stateFor(client: Client): RemoteState {
    return this.#transaction?.client === client ? this.#transaction.state : this.#state;
  }

  async #travel(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) await this.#hop();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function busy(): PerdureError {
  return new PerdureError("PERDURE_BUSY", "Another client's transaction is open.");
}
