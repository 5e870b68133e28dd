import { types } from "node:util";
import { builtInNameOf, isKeptAnyway } from "./object-kind.ts";

/** Why an object is not kept, and what to do: the part of the message that follows the path. */
export function refusalOf(object: object): string {
  if (types.isPromise(object)) return "a Promise cannot be kept. Missing await?";
  if (types.isRegExp(object)) return "a RegExp cannot be kept. Keep its source and flags as strings.";
  if (types.isNativeError(object)) return "an Error cannot be kept. Keep its message as a string.";
  if (types.isBoxedPrimitive(object)) return "an object around a primitive cannot be kept. Keep the primitive.";
  if (types.isGeneratorObject(object)) return "a generator cannot be kept. Keep an array of what it yields.";
  if (types.isSharedArrayBuffer(ArrayBuffer.isView(object) ? object.buffer : object))
    return "shared memory cannot be kept. Keep a copy of its bytes.";
  return refusalByName(object);
}

function refusalByName(object: object): string {
  const name = classNameOf(object);
  if (isIterator(object)) return "an iterator cannot be kept. Keep an array of what it gives.";
  switch (name) {
    case "WeakMap":
    case "WeakSet":
      return `a ${name} cannot be kept, as nobody can list what is in it. Keep a ${name.slice(4)}.`;
    case "WeakRef":
      return "a WeakRef cannot be kept. Keep the object, or an id by which it is found again.";
    case "URL":
      return "a URL cannot be kept. Keep its href as a string, or register the class with codec.register.";
    case undefined:
      return "an object with a prototype of its own cannot be kept. Keep a plain object, or register its class.";
    default:
      return isImitation(object) ? imitationRefusal(name) : classRefusal(name, builtInNameOf(object));
  }
}

/** Whether this has the class of what is kept, but not its making: a proxy of a Map, `Object.create(Date.prototype)`. */
function isImitation({ constructor }: object): boolean {
  return isKeptAnyway(constructor);
}

function imitationRefusal(name: string): string {
  return `what claims to be a ${name} and is none (a proxy?) cannot be kept. Keep a true ${name}.`;
}

function classRefusal(name: string, builtInName: string): string {
  const subclass = builtInName === "Object" ? "" : ` (it would come back as a mere ${builtInName})`;
  return (
    `an instance of the class ${name} cannot be kept${subclass}. ` +
    `Register the class, codec.register(${JSON.stringify(name)}, ${name}, { encode, decode }), or keep plain data.`
  );
}

function classNameOf(object: object): string | undefined {
  const { constructor } = object as { constructor?: unknown };
  const name: unknown = typeof constructor === "function" ? constructor.name : undefined;
  return typeof name === "string" && name !== "" && name !== "Object" ? name : undefined;
}

function isIterator(object: object): boolean {
  const { next, [Symbol.iterator]: iterate } = object as { next?: unknown; [Symbol.iterator]?: unknown };
  return typeof next === "function" && typeof iterate === "function";
}
