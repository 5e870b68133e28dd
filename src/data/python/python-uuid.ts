const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A `uuid.UUID` of Python. */
export class PythonUuid {
  /** `"12345678-1234-5678-1234-567812345678"`, in lower case. */
  readonly text: string;

  /** @throws TypeError for a text that is no such UUID. */
  constructor(text: string) {
    if (!uuid.test(text)) throw new TypeError(`PythonUuid: ${JSON.stringify(text)} is no UUID in lower case.`);
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}
