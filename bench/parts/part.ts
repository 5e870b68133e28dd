import type { Plan } from "../plan.ts";

/** A part of the benchmark, which can be run alone. Shows its tables as soon as it has them; gives all that was measured. */
export type Part<Figures> = (plan: Plan) => Promise<Figures>;
