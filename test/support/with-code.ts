import { expect } from "vitest";

/** Matches an error with this code: `expect(...).rejects.toThrow(withCode("PERDURE_OWNED"))`. */
export function withCode(code: string): unknown {
  return expect.objectContaining({ code });
}
