import { PerdureError } from "../errors.ts";

/**
 * What `ctx.callbackData` is when a button was pressed whose value is not there: it was dropped, it is too old, the unit of work that sent it
 * was rolled back, it is another bot's, or somebody has made it up (PTB statement 173).
 */
export class InvalidCallbackData extends PerdureError {
  /** The data of the button as it came. */
  readonly callbackData: string;

  constructor(callbackData: string) {
    super(
      "PERDURE_INVALID_CALLBACK_DATA",
      "The object belonging to this callback_data was deleted or the callback_data was manipulated.",
    );
    this.name = "InvalidCallbackData";
    this.callbackData = callbackData;
  }
}
