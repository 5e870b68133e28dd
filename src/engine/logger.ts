/** Where the library says what it does: `console`, pino, winston, and every object with these four methods. */
export interface Logger {
  debug(message: string, ...details: unknown[]): void;
  info(message: string, ...details: unknown[]): void;
  warn(message: string, ...details: unknown[]): void;
  error(message: string, ...details: unknown[]): void;
}

/** Warnings and errors to the console's standard error, nothing else. */
export const consoleLogger: Logger = {
  debug() {},
  info() {},
  warn: (message, ...details) => console.warn(`perdure: ${message}`, ...details),
  error: (message, ...details) => console.error(`perdure: ${message}`, ...details),
};
