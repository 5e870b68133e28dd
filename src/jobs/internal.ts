/** What names of this library's own begin with: those of definitions and the ids of jobs. Users' may not. */
export const INTERNAL = "perdure:";

/** Whether an id or the name of a definition is one of this library's own. */
export function isInternal(name: string): boolean {
  return name.startsWith(INTERNAL);
}
