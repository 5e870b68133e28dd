import type { ApiMethods, InlineKeyboardMarkup } from "@grammyjs/types";
import { expectTypeOf, test } from "vitest";
import type { InputFile } from "grammy";
import type { KeyboardPlace } from "./inline-keyboards.ts";
import type { EditingMethod } from "./message-place.ts";

type Methods = ApiMethods<InputFile>;
type Payload<M extends keyof Methods> = NonNullable<Parameters<Methods[M]>[0]>;

/** So deep it is looked for. One level more finds nothing more, and takes the compiler long. */
type Depth = [never, 0, 1, 2, 3, 4];

/** The paths in a value of this type at which there may be an inline keyboard. */
type PlacesIn<T, D extends number = 4> = [D] extends [never]
  ? never
  : T extends InputFile | Uint8Array | string | number | boolean | undefined | null
    ? never
    : T extends readonly (infer Item)[]
      ? Suffix<"[]", PlacesIn<Item, Depth[D]>>
      : T extends InlineKeyboardMarkup
        ? ""
        : T extends object
          ? { [K in keyof T & string]-?: Suffix<`.${K}`, PlacesIn<T[K], Depth[D]>> }[keyof T & string]
          : never;

type Suffix<Head extends string, Tail> = Tail extends string ? `${Head}${Tail}` : never;

type PlacesOf<M extends keyof Methods> = PlacesIn<Payload<M>>;

test("every place of the Bot API in which there may be an inline keyboard is known", () => {
  expectTypeOf<{ [M in keyof Methods]: PlacesOf<M> }[keyof Methods]>().toEqualTypeOf<`.${KeyboardPlace}`>();
});

test("of those methods that they are in, for instance", () => {
  expectTypeOf<PlacesOf<"answerInlineQuery">>().toEqualTypeOf<".results[].reply_markup">();
  expectTypeOf<PlacesOf<"answerWebAppQuery">>().toEqualTypeOf<".result.reply_markup">();
  expectTypeOf<PlacesOf<"editMessageReplyMarkup">>().toEqualTypeOf<".reply_markup">();
  expectTypeOf<PlacesOf<"sendMediaGroup">>().toBeNever();
  expectTypeOf<PlacesOf<"getUpdates">>().toBeNever();
});

/** Those that edit a message that is there: they name it, and take a new keyboard for it. */
type Editing = {
  [M in keyof Methods]: ".reply_markup" extends PlacesOf<M>
    ? "message_id" extends keyof Payload<M>
      ? "from_chat_id" extends keyof Payload<M>
        ? never
        : M
      : never
    : never;
}[keyof Methods];

test("every method that replaces the keyboard of a message is known", () => {
  expectTypeOf<EditingMethod>().toEqualTypeOf<Editing>();
});
