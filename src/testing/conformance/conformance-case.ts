import type { Setting } from "./setting.ts";

/** What a case cannot do without: methods or abilities of the class, a hook of the options, or values. */
export type Need =
  | "atomic methods"
  | "atomic"
  /** Something is kept beyond the end of the object. */
  | "lasting"
  | "shared"
  /** The opposite of shared. */
  | "owned"
  | "all values"
  | "snapshot"
  | "breakReading"
  | "breakWriting";

/** One case of the suite. */
export interface ConformanceCase {
  readonly name: string;
  /** The sentence that a persistence breaks when the case fails. */
  readonly contract: string;
  readonly needs?: readonly Need[];
  readonly run: (setting: Setting) => Promise<void>;
}
