import type { RecordKind } from "../../data/record.ts";
import type { BasePersistence, PersistenceInput } from "../base-persistence.ts";

const SWITCHES: Partial<Record<RecordKind, keyof PersistenceInput>> = {
  bot: "botData",
  chat: "chatData",
  user: "userData",
  keyboard: "callbackData",
  callbackQuery: "callbackData",
};

/** Whether `storeData` says that records of this kind are not kept. Conversations have no switch (PTB statement 4). */
export function isSwitchedOff(storeData: BasePersistence["storeData"], kind: RecordKind): boolean {
  const name = SWITCHES[kind];
  return name !== undefined && !storeData[name];
}
