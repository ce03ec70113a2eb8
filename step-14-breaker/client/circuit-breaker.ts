// Client: decides whether a server that has failed often is called at all.

/** What a call says about the server. `neutral`: nothing. */
export type Outcome = "success" | "failure" | "neutral";

/** `half-open`: the next call is a probe, and all others are refused until it has an outcome. */
export type BreakerState = "closed" | "open" | "half-open";

const REMEMBERED = 10; // the last outcomes in the state closed
const TOO_MANY = 5; // failures among them

export class CircuitBreaker {
  readonly #openMs: number;
  readonly #onChange: (state: BreakerState) => void;
  #state: BreakerState = "closed";
  #outcomes: Outcome[] = [];
  #isProbing = false;
  /** Of the state or the probe. */
  #timer: NodeJS.Timeout | undefined;
  /** Counts the changes of state. */
  #changes = 0;

  /**
   * @param openMs how long all calls are refused, before one is let through to probe.
   * @param onChange called with each new state.
   */
  constructor(openMs: number, onChange: (state: BreakerState) => void) {
    this.#openMs = openMs;
    this.#onChange = onChange;
  }

  /** Returns a function to call with the outcome, or undefined if the call must not be made. */
  admit(): ((outcome: Outcome) => void) | undefined {
    if (this.#state === "open" || this.#isProbing) return undefined;
    if (this.#state === "half-open") {
      this.#isProbing = true;
      // A stream without a deadline may never have an outcome. Then another call is the probe.
      this.#later(() => this.#endProbe());
    }
    const since = this.#changes;
    let reported = false;
    return (outcome) => {
      // A call from before the last change says nothing about the server now.
      if (reported || since !== this.#changes) return;
      reported = true;
      if (this.#state === "closed") this.#count(outcome);
      else if (outcome === "neutral") this.#endProbe();
      else this.#enter(outcome === "success" ? "closed" : "open");
    };
  }

  #count(outcome: Outcome): void {
    if (outcome === "neutral") return;
    this.#outcomes = [...this.#outcomes, outcome].slice(-REMEMBERED);
    const failures = this.#outcomes.filter((one) => one === "failure");
    if (failures.length >= TOO_MANY) this.#enter("open");
  }

  #enter(state: BreakerState): void {
    this.#state = state;
    this.#changes++;
    this.#outcomes = [];
    this.#endProbe();
    if (state === "open") this.#later(() => this.#enter("half-open"));
    this.#onChange(state);
  }

  #endProbe(): void {
    clearTimeout(this.#timer);
    this.#isProbing = false;
  }

  #later(act: () => void): void {
    this.#timer = setTimeout(act, this.#openMs).unref();
  }
}
