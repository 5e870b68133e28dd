/** How often a line is printed where it cannot be overwritten, in milliseconds. */
const PAUSE = 10_000;

/** How far a campaign is: one line that is overwritten on a terminal, one every ten seconds elsewhere. */
export class Progress {
  readonly #total: number;
  readonly #started = performance.now();
  #count = 0;
  #printed = performance.now();

  constructor(total: number) {
    this.#total = total;
  }

  /** Since the beginning. */
  get seconds(): number {
    return Math.round((performance.now() - this.#started) / 1000);
  }

  next(): void {
    this.#count += 1;
    const line = `${this.#count} of ${this.#total} kills, ${this.seconds} s`;
    if (process.stdout.isTTY) process.stdout.write(`\r${line}${this.#count === this.#total ? "\n" : ""}`);
    else if (performance.now() - this.#printed >= PAUSE) this.#print(line);
  }

  #print(line: string): void {
    this.#printed = performance.now();
    console.log(line);
  }
}
