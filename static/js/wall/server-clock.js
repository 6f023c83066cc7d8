// The server's time, whatever this machine's clock says. Ages and the clock on the wall come from here.
const SAMPLES = 8;
export const OFF_BY_MS = 5000;

export class ServerClock {
  #samples = [];

  // Each message with the server's time teaches a lower bound of the offset: it was on its way for a while.
  learn(iso) {
    const sent = Date.parse(iso);
    if (Number.isNaN(sent)) return;
    this.#samples.push(sent - Date.now());
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  // A machine that slept, or whose clock was set, starts anew.
  forget() { this.#samples = this.#samples.slice(-1); }

  get offset() { return this.#samples.length ? Math.max(...this.#samples) : 0; }
  get isOff() { return Math.abs(this.offset) > OFF_BY_MS; }
  now() { return Date.now() + this.offset; }
}
