/** A value that may come at once. Backends that are synchronous, such as SQLite, stay synchronous. */
export type MaybePromise<T> = T | Promise<T>;

/** Whether a value is still to come. Not every promise is an instance of this realm's `Promise`; builders of queries are none at all. */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
