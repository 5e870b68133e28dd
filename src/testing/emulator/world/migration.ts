import type { Message, User } from "@grammyjs/types";
import type { ChatRoom } from "./chat-room.ts";
import { deliverMessage, describeRoom, groupChat } from "./people.ts";
import type { World } from "./world.ts";

/** Which of the two service messages of a migration comes first. "manual": neither comes by itself. */
export type MigrationOrder = "oldFirst" | "newFirst" | "manual";

/** In the name of this account the new supergroup says where it comes from. */
const ANONYMOUS: User = { id: 1087968824, is_bot: true, first_name: "Group", username: "GroupAnonymousBot" };

/** Makes a supergroup of a group, with its title, people, bots and roles. Bots cannot write to the group any more. */
export function migrate(
  world: World,
  room: ChatRoom,
  { announce, id }: { announce: MigrationOrder; id?: number | undefined },
): ChatRoom {
  const { chat } = room;
  if (chat.type !== "group" || room.migratedTo !== undefined) {
    throw new Error(`${describeRoom(room)} cannot become a supergroup: it is one already`);
  }
  const supergroup = world.addGroup(groupChat(id ?? world.newGroupId(true), chat.title, true));
  for (const bot of room.bots) world.join(supergroup, bot);
  for (const member of room.members) world.join(supergroup, world.requirePerson(member));
  for (const [member, role] of room.roles) supergroup.roles.set(member, role);
  for (const [member, status] of room.former) supergroup.former.set(member, status);
  room.migratedTo = supergroup;
  supergroup.migratedFrom = room;
  const order = { oldFirst: [room, supergroup], newFirst: [supergroup, room], manual: [] }[announce];
  for (const side of order) announceMigration(world, side);
  return supergroup;
}

/** Sends this side's service message, or the same message again as a further update. Returns it. */
export function announceMigration(world: World, room: ChatRoom): Message {
  room.migrationMessage ??= room.add({ date: world.date, ...announcement(world, room) });
  deliverMessage(world, room.bots, "message", room.migrationMessage);
  return room.migrationMessage;
}

function announcement(world: World, room: ChatRoom): Partial<Message> {
  const { migratedTo, migratedFrom, chat } = room;
  if (migratedTo !== undefined) {
    const [personId] = room.people();
    const from = personId === undefined ? ANONYMOUS : world.requirePerson(personId).user;
    return { from, migrate_to_chat_id: migratedTo.chat.id };
  }
  if (migratedFrom !== undefined) {
    return { from: ANONYMOUS, sender_chat: chat, migrate_from_chat_id: migratedFrom.chat.id };
  }
  throw new Error(`${describeRoom(room)} has not migrated: migrate() first`);
}
