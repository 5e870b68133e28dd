export { PerdureError, isPerdureError, type ErrorCode, type PerdureErrorOptions } from "./errors.ts";
