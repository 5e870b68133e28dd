import type { IncomingMessage } from "node:http";
import { parseMultipart } from "./multipart.ts";

/** More than the 50 MB that bots may upload; only there so that a mistake does not eat all memory. */
const MAX_BODY = 64 * 1024 * 1024;

/** Reads a body to its end. Rejects when the client is gone before that, or when it is too large. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BODY) reject(new Error("the request's body is too large"));
      else chunks.push(chunk);
    });
    request.on("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => reject(new Error("the client left before its request was complete")));
  });
}

/** A call's parameters from query string and body; the query string goes first. Throws for JSON that is none. */
export function parseParameters(query: URLSearchParams, body: Buffer, contentType: string): Record<string, unknown> {
  return { ...parseBody(body, contentType), ...Object.fromEntries(query) };
}

function parseBody(body: Buffer, contentType: string): Record<string, unknown> {
  if (body.length === 0) return {};
  const type = contentType.toLowerCase();
  if (type.startsWith("application/json")) return JSON.parse(body.toString()) as Record<string, unknown>;
  if (type.startsWith("multipart/form-data")) return parseMultipart(body, contentType);
  return Object.fromEntries(new URLSearchParams(body.toString()));
}
