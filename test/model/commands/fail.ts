import fc from "fast-check";
import type { Command, Step } from "../command.ts";
import { CALLS, type Fault } from "../driver/faults.ts";

interface Fail extends Step {
  readonly kind: "fail";
  readonly fault: Fault;
}

const faults = fc.record<Fault>({
  call: fc.constantFrom(...CALLS, "commit", "commit", "accept"),
  when: fc.constantFrom("before", "after"),
  how: fc.constantFrom("fails", "fails", "takes long", "kills", "kills"),
  after: fc.constantFrom(0, 0, 0, 1, 2),
  times: fc.constantFrom(1, 1, 1, 2, 3),
});

/** From now on a call of the persistence fails, takes long, or ends the process: before it is done, or after. */
export const fail: Command<Fail> = {
  kind: "fail",
  weight: 12,
  steps: faults.map((fault) => ({ kind: "fail", fault })),
  play({ fault }, world) {
    if (world.life !== undefined) world.faults.arm(fault);
  },
  tell({ fault: { call, when, how, after, times } }) {
    const which = after === 0 ? "the next" : `after ${after}, the next`;
    return `${which} ${times > 1 ? `${times} calls` : "call"} of ${call} ${how}, ${when} it is done`;
  },
  *simpler({ fault, kind }) {
    if (fault.after > 0) yield { kind, fault: { ...fault, after: fault.after - 1 } };
    if (fault.times > 1) yield { kind, fault: { ...fault, times: 1 } };
    if (fault.how === "takes long") yield { kind, fault: { ...fault, how: "fails" } };
  },
};
