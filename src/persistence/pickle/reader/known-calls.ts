import { PythonFrozenset } from "../../../data/python/python-frozenset.ts";
import { PythonGlobal } from "../../../data/python/python-global.ts";
import { PythonObject } from "../../../data/python/python-object.ts";
import { PickleDataError } from "../pickle-data-error.ts";

/**
 * What a call in a pickle describes. Older protocols have no opcodes for sets and bytes and call a function instead; these few are understood.
 * Everything else is the description of a call.
 */
export function describedCall(callable: unknown, args: readonly unknown[]): unknown {
  if (callable instanceof PythonGlobal)
    return native(callable, args) ?? new PythonObject({ from: callable, called: true, args });
  if (callable instanceof PythonObject) return new PythonObject({ from: callable, called: true, args });
  throw new PickleDataError("not understood", "it calls what is neither a class nor a function");
}

function native(callable: PythonGlobal, args: readonly unknown[]): unknown {
  const [first, second] = args;
  switch (`${callable.toString()}/${args.length}`) {
    case "builtins.set/1":
      return Array.isArray(first) ? new Set(first) : undefined;
    case "builtins.frozenset/1":
      return Array.isArray(first) ? new PythonFrozenset(first) : undefined;
    case "builtins.set/0":
      return new Set();
    case "builtins.frozenset/0":
      return new PythonFrozenset([]);
    case "builtins.bytes/0":
      return new Uint8Array();
    case "_codecs.encode/2":
      return typeof first === "string" && (second === "latin1" || second === "latin-1") ? latin1(first) : undefined;
    default:
      return undefined;
  }
}

function latin1(text: string): Uint8Array {
  // oxlint-disable-next-line no-control-regex -- all of Latin-1
  if (!/^[\x00-\xff]*$/.test(text)) throw new PickleDataError("not understood", "bytes in it are no Latin-1");
  return new Uint8Array(Buffer.from(text, "latin1"));
}
