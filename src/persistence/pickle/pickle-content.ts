import { PickleDataError } from "./pickle-data-error.ts";
import { callbackDataIn, callbackDataRoot, type CallbackDataDescription } from "./callback-data-root.ts";
import { ConversationStates } from "./conversation-states.ts";
import { dictIn, isDefaultdict } from "./dict-in.ts";
import { PICKLE_KINDS, type PickleKind } from "./pickle-kind.ts";
import { placeVersion13Bot } from "./version13-bot.ts";

/** Everything that a PicklePersistence keeps, as descriptions: what nobody changes is written as it was read. */
export class PickleContent {
  readonly conversations: ConversationStates;
  readonly users: Map<number, unknown>;
  readonly chats: Map<number, unknown>;
  /** Undefined when there is none. */
  bot: Map<unknown, unknown> | object | undefined;
  callbackData: CallbackDataDescription | undefined;
  /** What else a file has. */
  readonly #rest: ReadonlyMap<string, unknown>;

  /** Throws a {@link PickleDataError} for roots that are not what python-telegram-bot keeps. */
  constructor(roots: ReadonlyMap<string, unknown>) {
    if (isDefaultdict(roots.get("user_data")) || isDefaultdict(roots.get("chat_data"))) placeVersion13Bot(roots);
    this.conversations = new ConversationStates(roots.get("conversations") ?? new Map());
    this.users = byId(roots.get("user_data"), "user_data");
    this.chats = byId(roots.get("chat_data"), "chat_data");
    this.bot = botIn(roots.get("bot_data"));
    this.callbackData = callbackDataIn(roots.get("callback_data"));
    const kinds: readonly string[] = PICKLE_KINDS;
    this.#rest = new Map([...roots].filter(([name]) => !kinds.includes(name)));
  }

  /** As it stands in the files. */
  get roots(): ReadonlyMap<string, unknown> {
    const roots: Record<PickleKind, unknown> = {
      conversations: this.conversations.root,
      user_data: this.users,
      chat_data: this.chats,
      bot_data: this.bot ?? new Map(),
      callback_data: callbackDataRoot(this.callbackData),
    };
    return new Map([...PICKLE_KINDS.map((kind) => [kind, roots[kind]] as const), ...this.#rest]);
  }
}

function byId(root: unknown, kind: PickleKind): Map<number, unknown> {
  if (root === undefined) return new Map();
  const dict = dictIn(root, kind);
  for (const id of dict.keys()) {
    if (!Number.isSafeInteger(id)) throw new PickleDataError("not understood", `a key of ${kind} is no id`);
  }
  return dict as Map<number, unknown>;
}

/** An empty dict is what python-telegram-bot writes when there is no bot data. */
function botIn(root: unknown): object | undefined {
  if (root === undefined || (root instanceof Map && root.size === 0)) return undefined;
  if (typeof root === "object" && root !== null && !Array.isArray(root)) return root;
  throw new PickleDataError("not understood", "bot_data is no dict");
}
