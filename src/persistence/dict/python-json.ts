import type { PythonFloat } from "./python-float.ts";

/**
 * What a JSON text holds, as exactly as Python sees it: dicts in their order, ints apart from floats. A number is an int if it is a
 * safe integer and not -0; a bigint is an int that is no safe integer.
 */
export type PythonJson = null | boolean | number | bigint | string | PythonFloat | readonly PythonJson[] | PythonDict;

/** A dict of a JSON text. */
export type PythonDict = ReadonlyMap<string, PythonJson>;

/** Dicts and lists nest at most this deep in one record, in texts that are read and in those that are written. */
export const maxRecordDepth = 1000;
