import type { InlineKeyboardMarkup } from "@grammyjs/types";
import { dataOf, withToken, type ButtonData } from "./data-button.ts";
import { replaceKeyboards, type KeyboardPlace, type Payload } from "./inline-keyboards.ts";
import { drawButtonId, drawKeyboardId } from "./token.ts";

/** A data button that is about to be sent. */
export interface NewButton {
  readonly id: string;
  readonly text: string;
  readonly data: ButtonData;
  /** Where in the payload it is: `reply_markup.inline_keyboard[0][1]`. */
  readonly path: string;
}

/** A keyboard with data buttons that is about to be sent. */
export class NewKeyboard {
  readonly id: string = drawKeyboardId();
  readonly place: KeyboardPlace;
  readonly buttons: NewButton[] = [];
  /** Whether it was sent: of a call that may be answered without being made, whether anybody has looked at a token. */
  isSent: boolean;

  constructor(place: KeyboardPlace, isSent: boolean) {
    this.place = place;
    this.isSent = isSent;
  }

  /** The button to send for a data button. */
  add<B extends { readonly text: string }>(button: B, data: ButtonData, path: string, botId: number): B {
    const id = drawButtonId(this.id, botId);
    this.buttons.push({ id, text: button.text, data, path });
    const token = this.id + id;
    if (this.isSent) return withToken(button, { value: token, writable: true });
    const get = (): string => {
      this.isSent = true;
      return token;
    };
    return withToken(button, { get });
  }
}

/** A call of the Bot API on its way out. */
export interface OutgoingCall {
  /** With tokens in the place of data buttons: a copy of what has to be another. */
  readonly payload: Payload;
  /** Those that are new with it. */
  readonly keyboards: readonly NewKeyboard[];
}

/**
 * Draws tokens for the data buttons of a call. Other buttons stay as they are, and a payload without data buttons the same object. `mayReplay` says that the
 * call may be answered without being made, by a conversation that is replayed.
 */
export function drawTokens(payload: Payload, botId: number, mayReplay: boolean): OutgoingCall {
  const keyboards: NewKeyboard[] = [];
  const copy = replaceKeyboards(payload, (markup, place, path) => {
    if (!markup.inline_keyboard.some((row) => row.some((button) => dataOf(button) !== undefined))) return markup;
    const keyboard = new NewKeyboard(place, !mayReplay);
    keyboards.push(keyboard);
    return withTokens(markup, keyboard, path, botId);
  });
  return { payload: copy, keyboards };
}

function withTokens(
  markup: InlineKeyboardMarkup,
  keyboard: NewKeyboard,
  path: string,
  botId: number,
): InlineKeyboardMarkup {
  const rows = markup.inline_keyboard.map((row, rowIndex) =>
    row.map((button, index) => {
      const data = dataOf(button);
      if (data === undefined) return button;
      return keyboard.add(button, data, `${path}.inline_keyboard[${rowIndex}][${index}]`, botId);
    }),
  );
  return { ...markup, inline_keyboard: rows };
}
