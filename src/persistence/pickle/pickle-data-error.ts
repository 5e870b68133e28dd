/** Which of the two things that python-telegram-bot says of a broken file (PTB statements 30 to 32). */
export type PickleFault = "no pickle" | "not understood";

/** What is wrong with a pickle, and where. Never leaves this folder: a `PerdureError` with the file's name does. */
export class PickleDataError extends Error {
  readonly fault: PickleFault;

  constructor(fault: PickleFault, message: string) {
    super(message);
    this.name = "PickleDataError";
    this.fault = fault;
  }
}
