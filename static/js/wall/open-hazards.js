// Every open hazard of the area: a reading of one position and the news since. The news tells all of it, so that
// after any gap this is what a fresh reading would be.
const UNANSWERED = 'reported'; // nobody has accepted or refused it yet

export class OpenHazards {
  #stages; #changed; #rows = new Map(); #position = null;

  // ``stages``: the stage of each open state; a state without one has ended.
  constructor(stages, onChange) { this.#stages = stages; this.#changed = onChange; }

  get isRead() { return this.#position !== null; }
  get size() { return this.#rows.size; }
  get rows() { return [...this.#rows.values()]; }
  get unanswered() { return this.rows.filter(row => row.severity === 'major' && row.state === UNANSWERED).sort((a, b) => a.since - b.since); }

  // Columns as the server sends them, and on top the news that is newer.
  take({ position, states, ids, lon, lat, state, major, overdue, unanswered }, news) {
    const majors = new Set(major), late = new Set(overdue), since = new Map(unanswered.map(row => [row.id, Date.parse(row.since)]));
    this.#rows = new Map(ids.map((id, n) => [id, {
      id, lon: lon[n], lat: lat[n], state: states[state[n]], severity: majors.has(n) ? 'major' : 'general', overdue: late.has(n), since: since.get(id) ?? null,
    }]));
    this.#position = position;
    for (const fact of news) this.#apply(fact);
    this.#changed();
  }

  hear(facts) {
    if (!this.isRead) return;
    for (const fact of facts) this.#apply(fact);
    this.#changed();
  }

  // A hazard is overdue from its mark until its stage ends.
  #apply(fact) {
    if (fact.position <= this.#position) return;
    const known = this.#rows.get(fact.id), stage = this.#stages[fact.state];
    if (!stage) { this.#rows.delete(fact.id); return; }
    const overdue = fact.topic === 'hazard.mark_overdue' || Boolean(known?.overdue && this.#stages[known.state] === stage);
    const since = fact.state === UNANSWERED ? known?.since ?? Date.parse(fact.at) : null;
    this.#rows.set(fact.id, { id: fact.id, lon: fact.lon, lat: fact.lat, state: fact.state, severity: fact.level || known?.severity, overdue, since });
  }
}
