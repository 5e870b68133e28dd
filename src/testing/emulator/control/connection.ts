import { setMaxListeners } from "node:events";
import { Agent, request } from "node:http";
import type { Command, ControlCommands, ControlConnection } from "./commands.ts";
import type { Control } from "./control.ts";

/** Runs commands in this process. Values are copied both ways, so that it behaves as from another process. */
export class DirectConnection implements ControlConnection {
  readonly #control: Control;
  readonly #closing = new AbortController();

  constructor(control: Control) {
    this.#control = control;
    // Each wait listens, and there may be any number.
    setMaxListeners(0, this.#closing.signal);
  }

  async call<C extends Command>(command: C, args: ControlCommands[C]["args"]): Promise<ControlCommands[C]["result"]> {
    if (this.#closing.signal.aborted) throw stopped(command);
    try {
      return structuredClone(await this.#control.call(command, structuredClone(args), this.#closing.signal));
    } catch (error) {
      throw atCaller(error);
    }
  }

  close(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }
}

/** How many connections commands share that are answered at once. */
const MAX_SOCKETS = 16;

/** Runs commands in the process that listens at a URL. */
export class HttpConnection implements ControlConnection {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  /** Without a limit: a command that waits for a bot must not keep another from making the bot do it. */
  readonly #waitingAgent = new Agent({ keepAlive: true });
  #isClosed = false;

  constructor(url: string) {
    this.#url = url;
  }

  async call<C extends Command>(command: C, args: ControlCommands[C]["args"]): Promise<ControlCommands[C]["result"]> {
    if (this.#isClosed) throw stopped(command);
    try {
      // Every command that waits, and no other, takes a timeout.
      const agent = "timeout" in args ? this.#waitingAgent : this.#agent;
      const text = await post(`${this.#url}/emulator/${command}`, JSON.stringify(args), agent);
      const answer = JSON.parse(text) as { ok: boolean; result: ControlCommands[C]["result"]; error: string };
      if (!answer.ok) throw new Error(answer.error);
      return answer.result;
    } catch (error) {
      throw this.#isClosed ? stopped(command) : atCaller(error);
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#agent.destroy();
    this.#waitingAgent.destroy();
    return Promise.resolve();
  }
}

function post(url: string, body: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const call = request(url, { method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(Buffer.concat(chunks).toString()));
      response.on("error", reject);
    });
    call.on("error", reject);
    call.end(body);
  });
}

function stopped(command: Command): Error {
  return new Error(`${command}: the emulator was stopped`);
}

/** The same error made anew where the caller awaits, so that its stack leads to the test and not to a timer. */
function atCaller(error: unknown): Error {
  return new Error(error instanceof Error ? error.message : String(error), { cause: error });
}
