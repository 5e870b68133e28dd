/**
 * Sets a property as own data. Where all objects have a property of that name, an assignment would do something else:
 * `__proto__` sets the prototype, and one that is read-only (a frozen Object.prototype) throws.
 */
export function setOwn(object: object, key: string, value: unknown): void {
  if (key in object) {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    (object as Record<string, unknown>)[key] = value;
  }
}
