import type { PythonJson } from "./python-json.ts";
import { PythonFloat } from "./python-float.ts";
import { setOwn } from "../../data/codec/set-own.ts";

/** What a JSON document is in JavaScript: dicts are plain objects, floats are numbers. */
export function valueOf(document: PythonJson): unknown {
  if (typeof document !== "object" || document === null) return document;
  if (document instanceof PythonFloat) return document.value;
  if (!(document instanceof Map)) return (document as readonly PythonJson[]).map(valueOf);
  const object = {};
  for (const [key, value] of document as ReadonlyMap<string, PythonJson>) setOwn(object, key, valueOf(value));
  return object;
}
