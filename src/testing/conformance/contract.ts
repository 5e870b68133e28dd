/** The sentences of the contract that the cases hold a persistence to, as they stand above `BasePersistence`. */
export const PLAIN = {
  givenAway:
    "What a getter returns belongs to the caller, who may change it: return a copy of what you keep. What an update method is given belongs to the class: the application does not touch it again. (A tool may: keep a copy if you keep objects.)",
  empty: "Only what was never stored is empty.",
  failedRead: "A read that fails rejects (or throws).",
  ended: "Keeps the state of one conversation; `null` (or `undefined`) when it has ended, which removes it.",
  removed: "A dropped record, or a conversation whose new state is `null`, is not there when it is loaded again.",
  unknown: "For an unknown id it does nothing.",
  kept: "A write that resolved is kept, at the latest with the next `flush`.",
  failedWrite: "One that rejects is reported and called again, with the then newest value, at the next writing.",
  callbackData:
    "All callback data, in the shape of PTB's `persistence_data`: the keyboards, the least recently used first, and keyboards' ids by callback query, in no particular order.",
  accessTime:
    "One keyboard: its id, the time of its last use in seconds since 1970 (to the millisecond), and its buttons' values by their ids.",
  conversations: "All conversations of the handler with this name; none for an unknown name.",
  storeData: "Which data is kept. Default: all.",
  updateInterval: "How long after one writing the next begins, in milliseconds.",
  setBot: "The bot that this persistence serves, once it has one.",
  flush: "Makes everything durable that was given before.",
  load: "Loads one chat's data. A class that has this and {@link BasePersistence.loadUserData} (one alone is not enough) is not loaded at start but record by record, when each is needed.",
  conversationNames: "The names of all handlers that have conversations, and perhaps of some that had.",
} as const;

/** Those above `AtomicPersistence`, its methods and their types. */
export const ATOMIC = {
  abilities: "What this backend can do.",
  records: "Records belong to whoever opens it",
  plainMethods:
    "The methods of `BasePersistence` are there too, made of these: for tools and for programs that come from PTB.",
  oneBot: "the inbox and the done marks belong to the bot: another bot's are neither seen nor touched.",
  oneMoment:
    "A reader, in this process or another, at any time, also after a crash, sees all of a commit or none of it: changes and done marks alike.",
  acknowledged:
    "When `commit` or `noteAttempts` resolves, what it was given survives what `abilities.durable` promises.",
  failingIsSafe:
    "When `accept`, `commit` or `noteAttempts` rejects, either nothing happened or everything did. The engine calls again with the same arguments, and the second call has the effect of one.",
  order: "Commits take effect in the order in which they were called.",
  failedRead: "A failed read is an error, never an absent record.",
  current: "A read sees every commit that was acknowledged before it, also another program's.",
  refused: "`PERDURE_REFUSED` says that this call can never succeed",
  closed: "After `close` every method but `close` rejects with `PERDURE_CLOSED`.",
  openedOnce: "Opens it for one bot. Called once, before anything else. Rejects without having changed what was kept.",
  closedTwice: "Called again, it does nothing. What was acknowledged is durable already.",
  shared: "Whether several processes may use it for one bot at the same time.",
  read: "The records with these keys, in this order, all of one moment; `undefined` for a record that is not there.",
  record: "Two keys are the same record when their {@link keyText} is the same.",
  text: "The value as the codec wrote it.",
  version: "How many of the application's `migrations` of this scope the value has been through.",
  time: "The time that the record is found by (see {@link TimedKind}), in milliseconds since 1970.",
  belongs: "The chat that the record belongs to (see {@link BelongingKind}): it moves with the chat.",
  of: "Only those of records that belong to this chat or to this user: see {@link FoundBy}.",
  keys: "The keys of one kind, in a fixed order: ids that are numbers ascend, of conversations and entries those of one name stand together.",
  within: "Only those of the conversation handler or of the collection with this name.",
  after: "Only those after this one. Without it, from the beginning.",
  earliest:
    "The records of one kind whose `time` is not after `until`, the earliest first, at most `limit`: the jobs that are due.",
  accept: "Puts the updates that are new into the inbox, in this order, and answers for each what it was.",
  twice: 'An update that stands in `updates` twice is `"open"` the second time.',
  openUpdates: "The open updates of the inbox in order of arrival, at most `limit`, after the given arrival.",
  arrival: "Grows with every accepted update, as long as there are open ones.",
  attempts: "How often it was run: 1 when it was accepted, since it may have been, and what was noted then.",
  noteAttempts: "Answers whether the update is open; for one that is not, it does nothing.",
  failedUpdates: "The updates that were set aside, in the order in which they were.",
  failedElsewhere: "Updates that were set aside elsewhere, as {@link AtomicPersistence.failedUpdates} gave them.",
  aliases: "The chats that have another id by now.",
  commit:
    "Makes units of work durable, all or nothing: their changes, and their updates done (out of the inbox, and remembered for at least 25 hours).",
  later: "Where two units change one record, the later one stands.",
  done: '`"done"`, done within the last 25 hours.',
  doneUpdates: "The done updates of the bot, for tools that move everything.",
  exclusively:
    "Runs `work`, all of whose commits and other writes become durable as one when it resolves; when it rejects, none of them does. Its reads see its own writes.",
} as const;
