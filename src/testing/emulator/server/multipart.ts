const HEADER_END = "\r\n\r\n";

/**
 * The fields of a multipart/form-data body (RFC 7578). Of a file only its name and size are kept, under the name of its
 * part, as `{ file_name, file_size }`.
 */
export function parseMultipart(body: Buffer, contentType: string): Record<string, unknown> {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const fields: Record<string, unknown> = {};
  for (const part of splitParts(body, `--${boundary?.[1] ?? boundary?.[2] ?? ""}`)) {
    const headerLength = part.indexOf(HEADER_END);
    if (headerLength === -1) continue;
    const header = part.subarray(0, headerLength).toString();
    const name = parameterOf(header, "name");
    if (name !== undefined) fields[name] ??= valueOf(header, part.subarray(headerLength + HEADER_END.length));
  }
  return fields;
}

function* splitParts(body: Buffer, delimiter: string): Generator<Buffer> {
  let start = body.indexOf(delimiter);
  while (start !== -1) {
    const end = body.indexOf(`\r\n${delimiter}`, start);
    if (end === -1) return;
    yield body.subarray(start + delimiter.length + 2, end);
    start = end + 2;
  }
}

function valueOf(header: string, content: Buffer): unknown {
  const fileName = parameterOf(header, "filename");
  return fileName === undefined ? content.toString() : { file_name: fileName, file_size: content.length };
}

function parameterOf(header: string, parameter: string): string | undefined {
  const match = new RegExp(`[;\\s]${parameter}=(?:"([^"]*)"|([^;\\r\\n]*))`, "i").exec(header);
  return match?.[1] ?? match?.[2];
}
