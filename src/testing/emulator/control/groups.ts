import type { User } from "@grammyjs/types";
import type { ChatRoom } from "../world/chat-room.ts";
import { addMember, removeMember, setRole, type Member } from "../world/membership.ts";
import { announceMigration, migrate } from "../world/migration.ts";
import { describeRoom, groupChat, name } from "../world/people.ts";
import type { World } from "../world/world.ts";
import type { ControlCommands, MemberChange, NewGroup } from "./commands.ts";
import { requireBot, requireGroup } from "./places.ts";

/** The commands about groups. */
export type GroupCommand =
  | "createGroup"
  | "group"
  | "addMember"
  | "removeMember"
  | "setRole"
  | "migrate"
  | "announceMigration";

type GroupHandlers = {
  readonly [C in GroupCommand]: (args: ControlCommands[C]["args"]) => ControlCommands[C]["result"];
};

export function groupHandlers(world: World): GroupHandlers {
  return {
    createGroup: (group) => createGroup(world, group).chat,
    group: ({ id }) => requireGroup(world, id).chat,
    addMember: (change) => {
      const { room, member, by } = parties(world, change);
      const isBot = world.botById(change.member) !== undefined;
      return addMember(world, room, member, by ?? (isBot ? somebodyElse(world, room, member) : member.user));
    },
    removeMember: (change) => {
      const { room, member, by } = parties(world, change);
      return removeMember(world, room, member, by ?? somebodyElse(world, room, member));
    },
    setRole: ({ role, ...change }) => {
      const { room, member, by } = parties(world, change);
      setRole(world, room, member, by ?? somebodyElse(world, room, member), role);
    },
    migrate: ({ chat, announce = "oldFirst", id }) => migrate(world, requireGroup(world, chat), { announce, id }).chat,
    announceMigration: ({ chat }) => announceMigration(world, requireGroup(world, chat)),
  };
}

function createGroup(
  world: World,
  { title, bot, bots = [], members = [], owner, supergroup = false, id }: NewGroup,
): ChatRoom {
  const accounts = [...(bot === undefined ? [] : [bot]), ...bots].map((token) => requireBot(world, token));
  const people = [...(owner === undefined ? [] : [owner]), ...members].map((member) => world.requirePerson(member.id));
  const room = world.addGroup(groupChat(id ?? world.newGroupId(supergroup), title, supergroup));
  for (const member of [...accounts, ...people]) world.join(room, member);
  if (owner !== undefined) room.roles.set(owner.id, "creator");
  return room;
}

interface Parties {
  readonly room: ChatRoom;
  readonly member: Member;
  readonly by: User | undefined;
}

function parties(world: World, { chat, member, by }: MemberChange): Parties {
  return {
    room: requireGroup(world, chat),
    member: world.botById(member) ?? world.requirePerson(member),
    by: by === undefined ? undefined : (world.botById(by)?.publicUser ?? world.requirePerson(by).user),
  };
}

/** Who does something to a member when the test does not say: the owner, or the first of the others. */
function somebodyElse(world: World, room: ChatRoom, { user }: Member): User {
  for (const id of room.people()) if (id !== user.id) return world.requirePerson(id).user;
  throw new Error(`nobody else is in ${describeRoom(room)} to do this to ${name(user)}: say who does, as { by: user }`);
}
