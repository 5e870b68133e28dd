import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { run } from "@grammyjs/runner";
import { webhookCallback, type Bot } from "grammy";
import type { AnyPersistentContext, Application } from "../../src/index.ts";

interface Made<C extends AnyPersistentContext> {
  readonly bot: Bot<C>;
  readonly app: Application<C>;
}

/** What runs, and how a program stops it in order. */
interface Running {
  stop(): Promise<void>;
}

type Begin = <C extends AnyPersistentContext>(made: Made<C>) => Promise<Running>;
type Callback = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

/** Each way of running a bot, as its documentation has it. */
export const WAYS_TO_RUN: Readonly<Record<string, Begin>> = {
  "app.run()": async ({ app }) => {
    const running = app.run();
    return {
      async stop() {
        await app.stop();
        await running;
      },
    };
  },
  "bot.start()": async ({ bot, app }) => {
    const running = bot.start();
    return {
      async stop() {
        await app.stop();
        await running;
        await app.shutdown();
      },
    };
  },
  "run(bot) of the runner": async ({ bot, app }) => {
    const runner = run(bot, { runner: { silent: true } });
    return {
      async stop() {
        await runner.stop();
        await app.shutdown();
      },
    };
  },
  "webhookCallback(bot)": (made) => serve(made, webhookCallback(made.bot, "http") as Callback),
  'app.webhookCallback, acknowledge "accepted"': (made) => serve(made, made.app.webhookCallback("http") as Callback),
  'app.webhookCallback, acknowledge "done"': (made) =>
    serve(made, made.app.webhookCallback("http", { acknowledge: "done" }) as Callback),
};

async function serve<C extends AnyPersistentContext>({ bot, app }: Made<C>, callback: Callback): Promise<Running> {
  const server = createServer((request, response) => {
    callback(request, response).catch(() => response.headersSent || response.writeHead(500).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await bot.api.setWebhook(`http://127.0.0.1:${port}/`);
  return {
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await app.shutdown();
      server.closeAllConnections();
      await closed;
    },
  };
}
