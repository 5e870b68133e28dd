import { maxDepth } from "../../data/codec/place.ts";
import { PerdureError } from "../../errors.ts";
import type { OpenPickleOptions } from "./open-pickle.ts";
import type { PicklePersistenceOptions } from "./pickle-persistence.ts";

const MOST_BYTES = 256 * 1024 * 1024;
const OWNER_TIMEOUT = 10_000;

/** The options with their defaults. Throws `PERDURE_INVALID_OPTION`. */
export function pickleOptions(options: PicklePersistenceOptions): {
  readonly files: OpenPickleOptions;
  readonly depth: number;
  readonly onFlush: boolean;
} {
  const { filepath, singleFile = true, onFlush = false, ownerTimeout = OWNER_TIMEOUT, limits = {} } = options;
  const { bytes = MOST_BYTES, depth = maxDepth } = limits;
  require(typeof filepath === "string" && filepath !== "", "filepath must be the path of a file");
  require(ownerTimeout >= 0, "ownerTimeout must be a number of milliseconds");
  require(bytes > 0, "limits.bytes must be a number of bytes");
  require(Number.isInteger(depth) && depth > 0 && depth <= maxDepth, `limits.depth must be at most ${maxDepth}`);
  return { files: { filepath, singleFile, mostBytes: bytes, ownerTimeout }, depth, onFlush };
}

function require(isRight: boolean, what: string): void {
  if (!isRight) throw new PerdureError("PERDURE_INVALID_OPTION", `PicklePersistence: ${what}.`);
}
