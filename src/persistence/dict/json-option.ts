import { messageOf } from "../../data/codec/failures.ts";
import { PerdureError } from "../../errors.ts";
import type { PythonDict, PythonJson } from "./python-json.ts";
import { readPythonJson } from "./python-json-reader.ts";

/** What the texts are called here, and in python-telegram-bot. */
const ptbNames = {
  userDataJson: "user_data_json",
  chatDataJson: "chat_data_json",
  botDataJson: "bot_data_json",
  conversationsJson: "conversations_json",
  callbackDataJson: "callback_data_json",
} as const;

/** An option that takes one of python-telegram-bot's JSON texts. */
export type JsonOption = keyof typeof ptbNames;

const notValid = (ptbName: string): string => `Unable to deserialize ${ptbName}. Not valid JSON`;

/**
 * Reads the text of an option; `undefined` for one that was not given, for which an empty text stands, too. What fails is
 * `PERDURE_CANNOT_DECODE` in python-telegram-bot's words: when the text is no JSON, and when `read` throws for its content,
 * for which some options have words of their own.
 */
export function readJsonOption<T>(
  option: JsonOption,
  text: string | undefined,
  read: (document: PythonJson) => T,
  contentWords: (ptbName: string) => string = notValid,
): T | undefined {
  if (text === undefined || text === "") return undefined;
  if (typeof text !== "string") throw new TypeError(`${option} must be a string`);
  const document = failingWith(notValid, option, () => readPythonJson(text));
  return failingWith(contentWords, option, () => read(document));
}

function failingWith<T>(words: (ptbName: string) => string, option: JsonOption, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const message = `${words(ptbNames[option])} (${option}: ${messageOf(cause)})`;
    throw new PerdureError("PERDURE_CANNOT_DECODE", message, { cause });
  }
}

/** The part of a document as a dict; throws what `readJsonOption` reports. `what` names the part. */
export function dictIn(document: PythonJson | undefined, what: string): PythonDict {
  if (document instanceof Map) return document as PythonDict;
  throw new Error(`${what} is no object`);
}

/** Likewise, as a list. */
export function listIn(document: PythonJson | undefined, what: string): readonly PythonJson[] {
  if (Array.isArray(document)) return document as readonly PythonJson[];
  throw new Error(`${what} is no array`);
}
