import type { PickleSource } from "./pickle-source.ts";
import type { PickleStack } from "./pickle-stack.ts";

/** What one opcode does. */
export type Operation = (stack: PickleStack, source: PickleSource) => void;
