import { types } from "node:util";

const binaryNames = [
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float16Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "DataView",
  "ArrayBuffer",
  "Buffer",
] as const;

/** Built-in classes of raw bytes. `Buffer` is Node's own. */
export type BinaryName = (typeof binaryNames)[number];

/** Built-in classes that are kept without registration. "null" is an object without a prototype. */
export type ObjectKind = "Object" | "null" | "Array" | "Map" | "Set" | "Date" | BinaryName;

/** A built-in class; undefined where this version of Node does not have it (`Float16Array` before 24). */
export function builtIn(name: string): { readonly prototype: object } | undefined {
  return (globalThis as unknown as Record<string, { readonly prototype: object } | undefined>)[name];
}

const keptClasses = new Set(["Object", "Array", "Map", "Set", "Date", ...binaryNames].map(builtIn));

/** Whether a class is kept without registration. */
export function isKeptAnyway(constructor: object): boolean {
  return keptClasses.has(constructor as { readonly prototype: object });
}

export function isBinaryName(name: unknown): name is BinaryName {
  return (binaryNames as readonly unknown[]).includes(name);
}

/** As what an object is kept, undefined if it is an instance of any other class: then it must be registered. */
export function kindOf(object: object): ObjectKind | undefined {
  const prototype = Object.getPrototypeOf(object) as object | null;
  if (prototype === Object.prototype) return Array.isArray(object) ? undefined : "Object";
  const name = builtInNameOf(object);
  if (prototype === null) return name === "Object" ? "null" : undefined;
  if (ArrayBuffer.isView(object) && types.isSharedArrayBuffer(object.buffer)) return undefined;
  if (prototype === Buffer.prototype && Buffer.isBuffer(object)) return "Buffer";
  return isPrototypeOf(name, prototype) ? name : undefined;
}

/** What an object is by its making, whatever its prototype says: "Map" for instances of subclasses of Map, too. */
export function builtInNameOf(object: object): Exclude<ObjectKind, "null" | "Buffer"> {
  if (Array.isArray(object)) return "Array";
  if (types.isMap(object)) return "Map";
  if (types.isSet(object)) return "Set";
  if (types.isDate(object)) return "Date";
  if (types.isArrayBuffer(object)) return "ArrayBuffer";
  if (types.isDataView(object)) return "DataView";
  return types.isTypedArray(object) ? typedArrayName(object) : "Object";
}

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;

/** The getter that all typed arrays share tells the built-in class, whatever a subclass calls itself. */
function typedArrayName(view: NodeJS.TypedArray): Exclude<BinaryName, "Buffer"> {
  return Reflect.get(typedArrayPrototype, Symbol.toStringTag, view) as Exclude<BinaryName, "Buffer">;
}

/** Whether this is the prototype of the built-in class: ours, or that of another realm (a vm context). */
function isPrototypeOf(name: string, prototype: object): boolean {
  return prototype === builtIn(name)?.prototype || (isOfAnotherRealm(prototype) && constructorName(prototype) === name);
}

function isOfAnotherRealm(prototype: object): boolean {
  let root = prototype;
  for (let next: unknown = root; next !== null; next = Object.getPrototypeOf(root)) root = next as object;
  return root !== Object.prototype && Object.hasOwn(root, "isPrototypeOf");
}

function constructorName(prototype: object): unknown {
  return Object.hasOwn(prototype, "constructor") ? (prototype.constructor as { name?: unknown }).name : undefined;
}
