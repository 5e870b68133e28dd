import { PythonFrozenset } from "../../../data/python/python-frozenset.ts";
import { PythonGlobal } from "../../../data/python/python-global.ts";
import { PythonObject } from "../../../data/python/python-object.ts";
import { PickleDataError } from "../pickle-data-error.ts";

/**
 * What a call in a pickle describes. Older protocols have no opcodes for sets, bytes and names in classes, and call a function instead; these few are
 * understood. Everything else is the description of a call.
 */
export function describedCall(callable: unknown, args: readonly unknown[]): unknown {
  const from = namedByCall(callable);
  if (from instanceof PythonGlobal) return native(from, args) ?? new PythonObject({ from, called: true, args });
  if (from instanceof PythonObject) return new PythonObject({ from, called: true, args });
  throw new PickleDataError("not understood", "it calls what is neither a class nor a function");
}

/** What stands in a class, where it is used as a class or a function itself: `getattr(Outer, "Inner")` is `Outer.Inner`. */
export function namedByCall(value: unknown): unknown {
  if (!(value instanceof PythonObject) || !(value.from instanceof PythonGlobal)) return value;
  const [owner, attribute] = value.from.toString() === "builtins.getattr" ? value.args : [];
  if (!(owner instanceof PythonGlobal) || typeof attribute !== "string") return value;
  return new PythonGlobal(owner.module, `${owner.name}.${attribute}`);
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
      return latin1(first, second);
    case "builtins.bytearray/0":
      return new PythonObject({ from: callable, called: true, args: [new Uint8Array()] });
    case "builtins.bytearray/2": {
      const bytes = latin1(first, second);
      return bytes && new PythonObject({ from: callable, called: true, args: [bytes] });
    }
    case "copyreg._reconstructor/3":
      return isObjectItself(second) && args[2] === null ? new PythonObject({ from: namedByCall(first) }) : undefined;
    default:
      return undefined;
  }
}

function isObjectItself(base: unknown): boolean {
  return base instanceof PythonGlobal && base.toString() === "builtins.object";
}

function latin1(text: unknown, encoding: unknown): Uint8Array | undefined {
  if (typeof text !== "string" || (encoding !== "latin1" && encoding !== "latin-1")) return undefined;
  // oxlint-disable-next-line no-control-regex -- all of Latin-1
  if (!/^[\x00-\xff]*$/.test(text)) throw new PickleDataError("not understood", "bytes in it are no Latin-1");
  return new Uint8Array(Buffer.from(text, "latin1"));
}
