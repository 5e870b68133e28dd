/** A value that may come at once. Backends that are synchronous, such as SQLite, stay synchronous. */
export type MaybePromise<T> = T | Promise<T>;
