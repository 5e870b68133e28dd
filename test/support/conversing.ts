import type { ConversationOptions } from "../../src/index.ts";
import { makeApp, textUpdate, type MadeApp, type MyContext, type MyOptions } from "./made-app.ts";
import { notedWarnings } from "./noted-warnings.ts";

/** Options of a conversation, unchecked by the compiler: tests do what code in JavaScript may do. */
export type AnyConversation = ConversationOptions<MyContext, string | number, string | number, unknown>;

export interface Conversing extends MadeApp {
  /** What handlers have noted, in order. */
  readonly notes: string[];
  readonly warnings: readonly string[];
  /** Errors of handlers. */
  readonly caught: unknown[];
  /** Hands in a text, and waits until it is handled. */
  readonly say: (text: string, who?: { chat?: number; user?: number }) => Promise<void>;
  /** Hands in any update. */
  readonly hand: (update: object) => Promise<void>;
}

/** An application for conversations whose updates the test hands in itself. What no conversation handles is noted as `passed`. */
export function conversing(options: Partial<MyOptions> = {}): Conversing {
  const { logger, warnings } = notedWarnings();
  const made = makeApp({ logger, ...options });
  const notes: string[] = [];
  const caught: unknown[] = [];
  const handle = async (update: never): Promise<void> => {
    await made.bot.handleUpdate(update).catch(({ error }: { error: unknown }) => caught.push(error));
  };
  let id = 1_000_000;
  return {
    ...made,
    notes,
    warnings,
    caught,
    say: (text, who) => handle(textUpdate(text, who)),
    hand: (update) => handle({ update_id: (id += 1), ...update } as never),
  };
}

/** A press of a button under a message. */
export function press(
  data: string,
  { chat = -1, user = 7, message = 1 }: { chat?: number; user?: number; message?: number } = {},
): object {
  const from = { id: user, is_bot: false, first_name: "Ann" };
  const under = { message_id: message, date: 0, chat: { id: chat, type: "group", title: "" } };
  return { callback_query: { id: "1", from, chat_instance: "1", data, message: under } };
}
