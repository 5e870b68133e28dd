import { BOT_KEY, keyName } from "../../data/record.ts";
import { Entry, type Texts } from "./entry.ts";
import { dictIn, readJsonOption } from "./json-option.ts";
import { dataJson } from "./scope-part.ts";

const name = keyName(BOT_KEY);

/** The bot data of a DictPersistence. */
export class BotPart {
  readonly #texts: Texts;
  #entry: Entry | undefined;
  /** The text that was given, until something changes. */
  #given: string | undefined;
  /**
   * Whether the entry was stored by somebody. python-telegram-bot writes `{}` also when nothing was, and then the application's
   * initial value is due, and not an empty object.
   */
  #isStored: boolean;

  constructor(text: string | undefined, texts: Texts) {
    this.#texts = texts;
    this.#entry = readJsonOption(
      "botDataJson",
      text,
      (document) => Entry.read(dictIn(document, "it"), name, texts),
      (ptbName) => `${ptbName} must be serialized dict`,
    );
    this.#given = this.#entry && text;
    this.#isStored = this.#entry !== undefined && this.#entry.json() !== "{}";
  }

  /** The value, if one was stored. From now on, nothing is `{}` and no longer unknown. */
  fetch(): object | undefined {
    this.#entry ??= Entry.of({}, name, this.#texts);
    return this.#isStored ? this.value : undefined;
  }

  get value(): object | undefined {
    return this.#entry?.value() as object | undefined;
  }

  get json(): string {
    return this.#given ?? (this.#entry === undefined ? "null" : dataJson(this.#entry, name));
  }

  update(data: object): void {
    const entry = Entry.of(data, name, this.#texts, this.#entry);
    this.#isStored = true;
    if (entry === this.#entry) return;
    this.#entry = entry;
    this.#given = undefined;
  }
}
