import type { PythonGlobal } from "./python-global.ts";

/** How a member of an Enum is kept: Python 3.11 wrote the member's name, other versions write its value. */
export type PythonEnumMember = { readonly member: string } | { readonly value: unknown };

/** A member of an Enum of Python. Only one of its name and its value is known, whichever was written. */
export class PythonEnum {
  readonly type: PythonGlobal;
  /** The name of the member, if that is what was written. */
  readonly member: string | undefined;
  /** The value of the member, if that is what was written. */
  readonly value: unknown;

  constructor(type: PythonGlobal, by: PythonEnumMember) {
    this.type = type;
    this.member = "member" in by ? by.member : undefined;
    this.value = "member" in by ? undefined : by.value;
  }
}
