import { expectTypeOf, test } from "vitest";
import { jsonCodec, type JsonCodec } from "./codec.ts";

class Cart {
  readonly items: string[];

  private constructor(items: string[]) {
    this.items = items;
  }

  static of(items: string[]): Cart {
    return new Cart(items);
  }
}

test("what encode gives is what decode takes, without a word about types", () => {
  const codec = jsonCodec().register("Cart", Cart, {
    encode: (cart) => {
      expectTypeOf(cart).toEqualTypeOf<Cart>();
      return { items: cart.items, at: new Date() };
    },
    decode: (encoded) => {
      expectTypeOf(encoded).toEqualTypeOf<{ items: string[]; at: Date }>();
      return Cart.of(encoded.items);
    },
  });
  expectTypeOf(codec).toEqualTypeOf<JsonCodec>();
});

test("decode must make an instance of the class", () => {
  // @ts-expect-error decode gives a string
  jsonCodec().register("Cart", Cart, { encode: (cart) => cart.items, decode: () => "cart" });
});

test("an abstract class can be registered", () => {
  abstract class Shape {
    abstract area(): number;
  }
  class Square extends Shape {
    area(): number {
      return 1;
    }
  }
  jsonCodec().register("Shape", Shape, { encode: (shape) => shape.area(), decode: () => new Square() });
});
