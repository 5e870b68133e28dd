import type { Broken } from "./broken.ts";
import { BROKEN_COMMITS } from "./broken-commits.ts";
import { BROKEN_INBOXES } from "./broken-inboxes.ts";
import { BROKEN_PLAIN_CLASSES } from "./broken-plain-classes.ts";
import { BROKEN_RECORDS } from "./broken-records.ts";

/** Classes with one fault each: small changes of classes that pass the conformance suite. */
export const BROKEN_PERSISTENCES: readonly Broken[] = [
  ...BROKEN_PLAIN_CLASSES,
  ...BROKEN_RECORDS,
  ...BROKEN_INBOXES,
  ...BROKEN_COMMITS,
];
