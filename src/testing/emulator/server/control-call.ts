import type { IncomingMessage } from "node:http";
import type { Control } from "../control/control.ts";
import type { Command } from "../control/commands.ts";
import { readBody } from "./request-body.ts";

/** A control command's answer over HTTP. */
export interface ControlAnswer {
  readonly status: number;
  readonly body: { ok: true; result: unknown } | { ok: false; error: string };
}

/** Runs `POST /emulator/<command>` with its arguments as a JSON body. Other processes of this machine may call it. */
export async function answerControl(
  control: Control,
  command: string,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<ControlAnswer> {
  // A web page that is open in a browser may post forms to loopback, but no JSON.
  const isJson = request.headers["content-type"]?.startsWith("application/json") === true;
  if (request.method !== "POST" || !isJson) return refuse(405, "POST a JSON body");
  if (!control.has(command)) return refuse(404, `there is no command "${command}"`);
  try {
    const args = JSON.parse((await readBody(request)).toString()) as never;
    return { status: 200, body: { ok: true, result: (await control.call(command as Command, args, signal)) ?? null } };
  } catch (error) {
    return refuse(400, error instanceof Error ? error.message : String(error));
  }
}

function refuse(status: number, error: string): ControlAnswer {
  return { status, body: { ok: false, error } };
}
