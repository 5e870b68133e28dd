/** What a process has done to the files of one folder, in order. Files are numbered, since names come and go. */
export type DiskOperation =
  | { readonly kind: "create"; readonly name: string; readonly file: number }
  | { readonly kind: "write"; readonly file: number; readonly offset: number; readonly data: Buffer }
  | { readonly kind: "truncate"; readonly file: number; readonly size: number }
  /** Has ended. Covers what was done before it began: the first `upTo` of all operations. */
  | { readonly kind: "sync"; readonly file: number; readonly upTo: number }
  | { readonly kind: "sync folder" }
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly file: number }
  | { readonly kind: "remove"; readonly name: string }
  /** A line on standard output. */
  | { readonly kind: "tell"; readonly line: string };
