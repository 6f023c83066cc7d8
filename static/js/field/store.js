// What the phone keeps: records (drafts and what waits), their photos, and a few kept answers of the server.
// IndexedDB through Dexie; without IndexedDB everything lives in memory and the page says so.
// A record belongs to the user who wrote it: every question names the user.

const assets = JSON.parse(document.getElementById("assets").textContent);

/** The same few words as the Dexie tables below, kept in memory only. */
class Memory {
  constructor(key) { this.key = key; this.rows = new Map(); }
  whole(work) { return work(); }
  async get(key) { return structuredClone(this.rows.get(key)); }
  async put(row) { this.rows.set(row[this.key], structuredClone(row)); }
  async delete(key) { this.rows.delete(key); }
  async having(field, value) { return [...this.rows.values()].filter((row) => row[field] === value).map((row) => structuredClone(row)); }
}

class Table {
  constructor(table) { this.table = table; }
  /** Do several things as one: no other tab comes in between. */
  whole(work) { return this.table.db.transaction("rw", this.table.db.tables, work); }
  get(key) { return this.table.get(key); }
  put(row) { return this.table.put(row); }
  delete(key) { return this.table.delete(key); }
  having(field, value) { return this.table.where(field).equals(value).toArray(); }
}

async function open() {
  try {
    const { Dexie, default: whole } = await import(assets.dexie);
    const database = new (Dexie ?? whole)("citysafety-field");
    database.version(1).stores({ records: "id, user", photos: "key, record", kept: "key" });
    await database.open();
    return { lasting: true, records: new Table(database.records), photos: new Table(database.photos), kept: new Table(database.kept) };
  } catch (error) {
    return { lasting: false, records: new Memory("id"), photos: new Memory("key"), kept: new Memory("key") };
  }
}

const opened = open();
const heard = new Set();
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("citysafety-field") : null;
channel?.addEventListener("message", () => heard.forEach((listener) => listener()));

/** Call the listener after every change, made here or in another tab. */
export function onChange(listener) { heard.add(listener); }

function changed() {
  heard.forEach((listener) => listener());
  channel?.postMessage("changed");
}

export const isLasting = async () => (await opened).lasting;

/** Ask the browser not to clear what is kept here. Asked once there is something to lose. */
export async function askToStay() {
  try { await navigator.storage?.persist?.(); } catch { /* a browser may refuse; the record is kept all the same */ }
}

export async function record(id, user) {
  const row = await (await opened).records.get(id);
  return row && row.user === user ? row : undefined;
}

/** Return the records of a user, the newest first. */
export async function records(user) {
  const rows = await (await opened).records.having("user", user);
  return rows.sort((a, b) => b.updatedAt - a.updatedAt);
}

export async function keep(row) {
  await (await opened).records.put({ ...row, updatedAt: Date.now() });
  changed();
}

/**
 * Write a record only if it stands as expected: new, or in one of these states. Return whether it was written.
 * The same draft may be open in two tabs; what one has sent, the other must not turn back into a draft.
 */
export async function keepFrom(states, row) {
  const { records: table } = await opened;
  const written = await table.whole(async () => {
    const known = await table.get(row.id);
    if (known && !states.includes(known.state)) return false;
    await table.put({ ...row, updatedAt: Date.now() });
    return true;
  });
  if (written) changed();
  return written;
}

/** Change some fields of a record as it stands now. Return it, or undefined when it is gone or stands otherwise. */
export async function amend(id, fields, { from = null } = {}) {
  const { records: table } = await opened;
  const next = await table.whole(async () => {
    const row = await table.get(id);
    if (!row || (from && !from.includes(row.state))) return undefined;
    const amended = { ...row, ...fields };
    await table.put(amended);
    return amended;
  });
  if (next) changed();
  return next;
}

export async function photosOf(id) {
  const rows = await (await opened).photos.having("record", id);
  return rows.sort((a, b) => a.order - b.order);
}

export async function keepPhoto(photo) { await (await opened).photos.put(photo); }
export async function dropPhoto(key) { await (await opened).photos.delete(key); }

export async function drop(id) {
  const { records: table, photos } = await opened;
  await table.whole(async () => {
    for (const photo of await photos.having("record", id)) await photos.delete(photo.key);
    await table.delete(id);
  });
  changed();
}

/** Give a refused record a new id; its photos go with it. Only where the server said that it took nothing. */
export async function rename(row, id) {
  const { records: table, photos } = await opened;
  await table.whole(async () => {
    await table.put({ ...row, id });
    for (const photo of await photos.having("record", row.id)) {
      await photos.put({ ...photo, key: `${id}/${photo.order}`, record: id, sent: false });
      await photos.delete(photo.key);
    }
    await table.delete(row.id);
  });
  changed();
  return { ...row, id };
}

const LITTLE_ROOM_B = 100e6;
const NO_ROOM_B = 5e6;

/** Say how much room the browser grants: {bytes, little, none}; null where it does not tell. */
export async function room() {
  const { usage, quota } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
  if (!quota) return null;
  const bytes = quota - usage;
  return { bytes, little: bytes < LITTLE_ROOM_B, none: bytes < NO_ROOM_B };
}

export async function keptAnswer(key) { return (await opened).kept.get(key); }
export async function keepAnswer(row) { await (await opened).kept.put(row); }

const WEEK = 7 * 86400e3;

/** Forget what was delivered over a week ago. What was not delivered is never cleared by age. */
export async function tidy(user) {
  for (const row of await records(user)) if (row.state === "delivered" && Date.now() - row.updatedAt > WEEK) await drop(row.id);
}
