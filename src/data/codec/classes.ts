import { PYTHON_CLASSES } from "../python/python-classes.ts";
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

/** A class of this library's own, whose instances may be part of a circle: what refers to them finds them before they are complete. */
export interface FilledClass {
  readonly name: string;
  encode(instance: object): unknown;
  create(): object;
  fill(instance: object, encoded: unknown): void;
}

/** How instances of a class are kept. */
export type KeptClass = RegisteredClass | FilledClass;

/** Kept by every codec, without registration. */
const LIBRARY_CLASSES = {
  byPrototype: new Map<object, KeptClass>(PYTHON_CLASSES),
  byName: new Map(PYTHON_CLASSES.map(([, kept]): [string, KeptClass] => [kept.name, kept])),
};

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

  named(name: string): KeptClass | undefined {
    return LIBRARY_CLASSES.byName.get(name) ?? this.#byName.get(name);
  }

  /** The class of exactly this object; that of a superclass would make another class of it. */
  of(object: object): KeptClass | undefined {
    const prototype = Object.getPrototypeOf(object) as object;
    return LIBRARY_CLASSES.byPrototype.get(prototype) ?? this.#byPrototype.get(prototype);
  }

  #checkName(name: string): void {
    if (typeof name !== "string" || name === "") {
      throw new TypeError("codec.register: the name under which a class is kept must be a non-empty string");
    }
    if (this.named(name) !== undefined) {
      throw new TypeError(`codec.register: the name ${JSON.stringify(name)} is registered already`);
    }
  }

  #checkedPrototype(name: string, constructor: object): object {
    const prototype =
      typeof constructor === "function" ? (constructor as { prototype?: unknown }).prototype : undefined;
    if (typeof prototype !== "object" || prototype === null) {
      throw new TypeError(`codec.register: ${JSON.stringify(name)} needs a class, the second argument is none`);
    }
    if (isKeptAnyway(constructor) || LIBRARY_CLASSES.byPrototype.has(prototype)) {
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
