import type { KeptValue } from "../engine/kept-value.ts";
import type { UnitOfWork } from "../engine/unit-of-work.ts";
import { InvalidCallbackData } from "./invalid-callback-data.ts";
import type { Token } from "./token.ts";

/** Where a press of a button leads: to a button of a keyboard that is kept, or nowhere. */
export interface PressTarget {
  readonly token: Token;
  readonly keyboard: KeptValue;
}

/** A press of a data button, in the unit of work of its update. */
export class Press {
  readonly #data: string;
  readonly #unit: UnitOfWork;
  readonly #target: PressTarget | undefined;
  #read: { readonly value: unknown } | undefined;

  /** `target` is missing where the button's data leads nowhere. */
  constructor(data: string, unit: UnitOfWork, target: PressTarget | undefined) {
    this.#data = data;
    this.#unit = unit;
    this.#target = target;
  }

  /**
   * The value of the button, to be changed in place if need be: the keyboard keeps it so (PTB statement 170). `InvalidCallbackData` where there is
   * none. Throws `PERDURE_UNIT_OVER` once the update has been handled, and what decoding it throws.
   */
  get value(): unknown {
    if (this.#target !== undefined) this.#unit.known(this.#target.keyboard.key);
    this.#read ??= { value: this.#find() };
    return this.#read.value;
  }

  /** Whether nothing is kept for it, as far as that was found. */
  get isInvalid(): boolean {
    return this.#target === undefined || this.#read?.value instanceof InvalidCallbackData;
  }

  #find(): unknown {
    if (this.#target === undefined) return new InvalidCallbackData(this.#data);
    const { keyboard, token } = this.#target;
    // Also of a keyboard that the unit has dropped meanwhile, by replacing the message for instance.
    return valueIn(keyboard.isThere ? keyboard.get() : keyboard.found(), token, this.#data);
  }
}

/** The value of one button of a keyboard. A record that is no keyboard has none. */
export function valueIn(buttons: unknown, { button }: Token, data: string): unknown {
  const isThere = typeof buttons === "object" && buttons !== null && Object.hasOwn(buttons, button);
  return isThere ? (buttons as Readonly<Record<string, unknown>>)[button] : new InvalidCallbackData(data);
}
