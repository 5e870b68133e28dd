/** Live objects (the bot, its api) stand in kept values as placeholders by name. They are instances of classes. */
export interface LiveObjects {
  /**
   * Asked for whatever is more than plain JSON: the name under which this object is kept ("bot", "api"); undefined if it is not a live object;
   * null for an unknown live object (another bot), which is kept as nothing: `null` comes back.
   */
  nameOf(object: object): string | null | undefined;
  /** The object that stands for this name now. */
  get(name: string): unknown;
}
