// What the page fetches: the whole look, rows of hazards, the burden of the cells. Never all screens at once: every
// wait has a random part, and a kept look will do that is as new as the change which was heard of.
const TABLES_MS = [2000, 15000], ITEMS_MS = [0, 1000], MOST_IDS = 100;
export const between = ([low, high]) => low + Math.random() * (high - low);

export class FetchFailed extends Error {
  constructor(code) { super(String(code)); this.code = code; }
}

export async function read(address) {
  let answer;
  try {
    answer = await fetch(address, { headers: { Accept: 'application/json' }, credentials: 'same-origin' });
  } catch { throw new FetchFailed(0); }
  if (!answer.ok) throw new FetchFailed(answer.status);
  return answer.json();
}

export class Feed {
  #config; #on; #ids = new Set(); #itemsTimer = null; #tablesTimer = null; #since = 0; #asked = 0;

  constructor(config, on) { this.#config = config; this.#on = on; }

  look(atLeast = null) {
    return read(`${this.#config.snapshot}?area=${this.#config.area}${atLeast === null ? '' : `&at_least=${atLeast}`}`);
  }

  points(atLeast) { return read(`${this.#config.points}?area=${this.#config.area}&at_least=${atLeast}`); }

  burden() { return read(`/api/v1/cells/state/?area=${this.#config.area}`); }

  // Rows of these hazards, at most one request a second. The first of a quiet second goes out at once.
  want(ids) {
    for (const id of ids) this.#ids.add(id);
    if (!this.#ids.size || this.#itemsTimer) return;
    const quiet = performance.now() - this.#asked > 3000;
    this.#itemsTimer = setTimeout(() => this.#items(), quiet ? Math.random() * 250 : 1000 + between(ITEMS_MS));
  }

  async #items() {
    const ids = [...this.#ids].slice(0, MOST_IDS);
    let pause = 0;
    this.#asked = performance.now();
    try {
      const { items } = await read(`${this.#config.items}?ids=${ids.join(',')}`);
      for (const id of ids) this.#ids.delete(id);
      this.#on.items(items);
    } catch (error) {
      this.#on.trouble('live', error);
      pause = 5000;
    }
    this.#itemsTimer = null;
    if (this.#ids.size) setTimeout(() => this.want([]), pause);
  }

  // Something has changed by this position: tables and cells are read again within fifteen seconds.
  changed(position) {
    if (this.#tablesTimer) return;
    this.#since = position;
    this.#tablesTimer = setTimeout(() => this.tables(), between(TABLES_MS));
  }

  async tables() {
    clearTimeout(this.#tablesTimer);
    const since = this.#since;
    this.#tablesTimer = null;
    await Promise.all([
      this.look(since).then(look => this.#on.look(look)).catch(error => this.#on.trouble('trend', error)),
      this.burden().then(state => this.#on.burden(state)).catch(error => this.#on.trouble('where', error)),
    ]);
  }
}
