/** What a bot keeps: the type of its data, of each chat's and of each user's. What is not named is empty. */
export interface KeptTypes {
  bot?: object;
  chat?: object;
  user?: object;
}

/** The type of one scope's data. */
export type Data<K, Scope extends keyof KeptTypes> = K extends { [S in Scope]: infer D } ? D : Record<string, never>;

/** Kept types that nobody has named: each scope's data is some object. */
export interface UntypedKept extends KeptTypes {
  bot: object;
  chat: object;
  user: object;
}
