import type { Message } from "@grammyjs/types";
import type { CallEntry, DeliveryEntry, TranscriptEntry, UpdateEntry } from "../world/transcript.ts";

const MAX_LENGTH = 160;

/** Entries as lines to read, in error messages and demos. */
export function transcriptText(entries: readonly TranscriptEntry[]): string {
  return entries.map((entry) => shorten(`#${entry.index} ${line(entry)}`)).join("\n");
}

function line(entry: TranscriptEntry): string {
  switch (entry.type) {
    case "update":
      return updateLine(entry);
    case "call":
      return callLine(entry);
    case "delivery":
      return deliveryLine(entry);
  }
}

function updateLine({ bot, kind, user, chat, updateId, update }: UpdateEntry): string {
  const { text, data } = (update[kind] ?? {}) as Message & { data?: string };
  const said = text ?? data;
  const what = said === undefined ? kind : `${kind} ${JSON.stringify(said)}`;
  const number = updateId === undefined ? "not asked for" : `update ${updateId}`;
  return `user ${user ?? "?"} in chat ${chat ?? "?"} to @${bot}: ${what} (${number})`;
}

function callLine({ bot, method, payload, ok, result, error, fault }: CallEntry): string {
  const outcome = ok ? briefly(method, result) : `${error?.code ?? ""} ${error?.description ?? ""}`;
  return `@${bot} ${method} ${JSON.stringify(payload)}: ${outcome}${fault === undefined ? "" : ` [fault: ${fault}]`}`;
}

function deliveryLine({ bot, updateId, attempt, ok, status, error, fault }: DeliveryEntry): string {
  const outcome = ok ? `ok (${status})` : error;
  return `update ${updateId} to the webhook of @${bot}, attempt ${attempt}: ${outcome}${fault === undefined ? "" : ` [fault: ${fault}]`}`;
}

function briefly(method: string, result: unknown): string {
  if (method.toLowerCase() !== "getupdates") return "ok";
  const ids = result as number[];
  return ids.length < 2 ? `updates [${ids.join()}]` : `updates [${ids[0]} to ${ids.at(-1)}]`;
}

function shorten(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 3)}...` : text;
}
