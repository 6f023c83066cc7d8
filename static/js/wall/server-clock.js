// The server's time, whatever this machine's clock says or is set to. Ages and the clock on the wall come from here.
const SAMPLES = 8;
export const OFF_BY_MS = 5000;

export class ServerClock {
  #samples = [];

  // Each message with the server's time teaches a lower bound of the offset: it was on its way for a while.
  learn(iso) {
    const sent = Date.parse(iso);
    if (Number.isNaN(sent)) return;
    this.#samples.push(sent - performance.now());
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  now() { return performance.now() + Math.max(...this.#samples); }

  // How far the server's clock is ahead of this machine's.
  get offset() { return this.now() - Date.now(); }

  // The first sample came with the page, which may have been long on its way.
  get isOff() { return this.#samples.length > 1 && Math.abs(this.offset) > OFF_BY_MS; }
}
