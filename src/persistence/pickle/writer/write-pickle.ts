import { PickleWriter } from "./pickle-writer.ts";

/** Writes the description of a value, as the reader gives it, as a pickle of protocol 4, which every Python 3 since 3.4 reads. */
export function writePickle(value: unknown): Buffer {
  return new PickleWriter().write(value);
}
