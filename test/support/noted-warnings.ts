import type { Logger } from "../../src/index.ts";
import { silentLogger } from "./silent-logger.ts";

/** A logger that says nothing, and the warnings that it has been given. */
export function notedWarnings(): { readonly logger: Logger; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  return { logger: { ...silentLogger, warn: (message) => void warnings.push(message) }, warnings };
}
