import { keyName } from "../../data/record.ts";
import type { CallbackData, KeyboardEntry } from "../base-persistence.ts";
import { Entry, type Texts } from "./entry.ts";
import { dictIn, listIn, readJsonOption } from "./json-option.ts";
import { floatText } from "./python-float.ts";
import type { PythonJson } from "./python-json.ts";
import { quoted } from "./python-json-writer.ts";
import { valueOf } from "./value-of.ts";

interface Keyboard {
  readonly id: string;
  readonly accessTime: number;
  readonly buttons: Entry;
}

interface Kept {
  readonly keyboards: readonly Keyboard[];
  readonly queries: Entry;
}

const queriesName = "callbackQueries";

/** The callback data of a DictPersistence. */
export class CallbackDataPart {
  readonly #texts: Texts;
  #kept: Kept | undefined;
  /** The text that was given, until something changes. */
  #given: string | undefined;

  constructor(text: string | undefined, texts: Texts) {
    this.#texts = texts;
    this.#kept = readJsonOption(
      "callbackDataJson",
      text,
      (document) => (document === null ? undefined : this.#read(document)),
      (ptbName) => `${ptbName} is not in the required format`,
    );
    this.#given = this.#kept && text;
  }

  get value(): CallbackData | undefined {
    if (this.#kept === undefined) return undefined;
    const { keyboards, queries } = this.#kept;
    return [
      keyboards.map(({ id, accessTime, buttons }) => [id, accessTime, buttons.value() as KeyboardEntry[2]]),
      queries.value() as CallbackData[1],
    ];
  }

  get json(): string {
    if (this.#given !== undefined) return this.#given;
    if (this.#kept === undefined) return "null";
    const { keyboards, queries } = this.#kept;
    return `[[${keyboards.map(keyboardJson).join(", ")}], ${queries.json()}]`;
  }

  update([keyboards, queries]: CallbackData): void {
    const old = this.#kept;
    const before = new Map(old?.keyboards.map((keyboard) => [keyboard.id, keyboard.buttons]));
    const kept: Kept = {
      keyboards: keyboards.map(([id, accessTime, buttons]) => {
        return { id, accessTime, buttons: Entry.of(buttons, buttonsName(id), this.#texts, before.get(id)) };
      }),
      queries: Entry.of(queries, queriesName, this.#texts, old?.queries),
    };
    if (old !== undefined && isSame(kept, old)) return;
    this.#kept = kept;
    this.#given = undefined;
  }

  #read(document: PythonJson): Kept {
    const [keyboards, queries] = listIn(document, "it");
    return {
      keyboards: listIn(keyboards, "its first part").map((keyboard) => this.#readKeyboard(keyboard)),
      queries: this.#readQueries(queries),
    };
  }

  #readKeyboard(document: PythonJson): Keyboard {
    const [id, time, buttons, ...rest] = listIn(document, "a keyboard");
    const accessTime = valueOf(time ?? null);
    if (
      typeof id !== "string" ||
      rest.length > 0 ||
      (typeof accessTime !== "number" && typeof accessTime !== "bigint")
    ) {
      throw new Error("a keyboard is no array of a string, a number and an object");
    }
    const entry = Entry.read(dictIn(buttons, "what is kept for a keyboard"), buttonsName(id), this.#texts);
    return { id, accessTime: Number(accessTime), buttons: entry };
  }

  #readQueries(document: PythonJson | undefined): Entry {
    const queries = dictIn(document, "its second part");
    if ([...queries.values()].every((id) => typeof id === "string"))
      return Entry.read(queries, queriesName, this.#texts);
    throw new Error("a keyboard's id in its second part is no string");
  }
}

function buttonsName(id: string): string {
  return keyName({ kind: "keyboard", id });
}

function keyboardJson({ id, accessTime, buttons }: Keyboard): string {
  return `[${quoted(id)}, ${floatText(accessTime)}, ${buttons.json()}]`;
}

/** Whether two have the same content: an entry that has not changed is the same object. */
function isSame(first: Kept, second: Kept): boolean {
  return (
    first.queries === second.queries &&
    first.keyboards.length === second.keyboards.length &&
    first.keyboards.every(({ id, accessTime, buttons }, index) => {
      const other = second.keyboards[index];
      return other?.id === id && Object.is(other.accessTime, accessTime) && other.buttons === buttons;
    })
  );
}
