/** So many turns of the event loop without a sign of life: all wait for the history. The engine itself skips one at most. */
export const QUIET_TURNS = 3;
