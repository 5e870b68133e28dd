import type { RecordKind, Scope } from "../data/record.ts";
import { BasePersistence } from "./base-persistence.ts";

const METHODS = { bot: "refreshBotData", chat: "refreshChatData", user: "refreshUserData" } as const;

/** Whether a class brings records of this kind up to date: it has a refresh method of its own, and keeps them. */
export function isRefreshed(persistence: BasePersistence, kind: RecordKind): kind is Scope {
  if (kind !== "bot" && kind !== "chat" && kind !== "user") return false;
  const method = METHODS[kind];
  return persistence.storeData[`${kind}Data`] && persistence[method] !== BasePersistence.prototype[method];
}
