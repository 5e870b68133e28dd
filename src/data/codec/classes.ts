import { isKeptAnyway } from "./object-kind.ts";

/** How instances of a class are kept. */
export interface ClassEncoding<T extends object, E> {
  /** What is kept of an instance: any value that the codec keeps, but not the instance itself or what contains it. */
  encode(instance: T): E;
  /** Makes an instance of what {@link ClassEncoding.encode} gave, perhaps years and versions ago. */
  decode(encoded: E): T;
}

/** A class that is kept under a name. */
export interface RegisteredClass {
  readonly name: string;
  encode(instance: object): unknown;
  decode(encoded: unknown): object;
}

/** The classes of one codec. */
export class RegisteredClasses {
  readonly #byName = new Map<string, RegisteredClass>();
  readonly #byPrototype = new Map<object, RegisteredClass>();

  add<T extends object, E>(name: string, constructor: { readonly prototype: T }, how: ClassEncoding<T, E>): void {
    this.#checkName(name);
    const prototype = this.#checkedPrototype(name, constructor);
    const registered: RegisteredClass = {
      name,
      encode: (instance) => how.encode(instance as T),
      decode: (encoded) => how.decode(encoded as E),
    };
    this.#byName.set(name, registered);
    this.#byPrototype.set(prototype, registered);
  }

  named(name: string): RegisteredClass | undefined {
    return this.#byName.get(name);
  }

  /** The class of exactly this object; that of a superclass would make another class of it. */
  of(object: object): RegisteredClass | undefined {
    return this.#byPrototype.size === 0 ? undefined : this.#byPrototype.get(Object.getPrototypeOf(object) as object);
  }

  #checkName(name: string): void {
    if (typeof name !== "string" || name === "") {
      throw new TypeError("codec.register: the name under which a class is kept must be a non-empty string");
    }
    if (this.#byName.has(name)) {
      throw new TypeError(`codec.register: the name ${JSON.stringify(name)} is registered already`);
    }
  }

  #checkedPrototype(name: string, constructor: object): object {
    const prototype =
      typeof constructor === "function" ? (constructor as { prototype?: unknown }).prototype : undefined;
    if (typeof prototype !== "object" || prototype === null) {
      throw new TypeError(`codec.register: ${JSON.stringify(name)} needs a class, the second argument is none`);
    }
    if (isKeptAnyway(constructor)) {
      throw new TypeError(
        `codec.register: ${JSON.stringify(name)} is a built-in class that is kept without registration`,
      );
    }
    const other = this.#byPrototype.get(prototype);
    if (other !== undefined) {
      throw new TypeError(
        `codec.register: the class of ${JSON.stringify(name)} is registered already, as ${JSON.stringify(other.name)}`,
      );
    }
    return prototype;
  }
}
