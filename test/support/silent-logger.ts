import type { Logger } from "../../src/index.ts";

/** For tests that look at what happens and not at what is said of it. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
