// Carries what is kept to the server: the record first, its photos after, each on its own.
//
// A record's id is made with its draft, and its body is frozen when the worker presses send. From then on the same
// id goes with the same body, however often an answer is lost: the server answers a repeat as it answered at first.
// Only after a refusal, which says that nothing was taken, may the words be changed; they then get a new id.
import { ask, complaints, present, put, serverNow, user } from "./api.js";
import { newId } from "./ids.js";
import * as store from "./store.js";
import { gettext } from "./words.js";

const EVERY_MS = 60_000;
const BACK_OFF_MS = [0, 5_000, 15_000, 60_000, 180_000, 600_000];

export const GOING = new Set(["waiting", "sending"]);
export const BY_HAND = new Set(["failed", "fix", "conflict"]);
export const unsent = (row) => row.state !== "delivered";

const watchers = new Set();
let connection = "unknown"; // here, offline, signed-out, other
let running = null;
let again = false;
let timer = null;

/** Hear of the connection and of progress: {connection} or {record, progress}. */
export function watch(listener) { watchers.add(listener); }
const tell = (news) => watchers.forEach((listener) => listener(news));
export const connectionNow = () => connection;

/** Send what is due. Forced: whatever waits, at once. Calls while one runs are joined into one more round. */
export function send({ force = false } = {}) {
  if (running) { again = again || force; return running; }
  running = alone(() => round(force)).finally(() => {
    running = null;
    if (again) { again = false; send({ force: true }); }
    else plan();
  });
  return running;
}

/** Wake when the first of what waits is due again; a hidden page sleeps and sends when it is looked at. */
async function plan() {
  clearTimeout(timer);
  if (connection !== "here") return;
  const due = (await store.records(user)).filter(({ state }) => GOING.has(state)).map(({ nextAt }) => nextAt ?? 0);
  if (due.length) timer = setTimeout(() => { if (!document.hidden) send(); }, Math.max(0, Math.min(...due) - Date.now()) + 50);
}

/** Of several tabs one sends; where the browser has no locks the server's memory of ids keeps it right. */
const alone = (work) => (navigator.locks ? navigator.locks.request("citysafety-send", work) : work());

async function round(force) {
  connection = await present();
  tell({ connection });
  if (connection !== "here") return;
  for (const row of (await store.records(user)).reverse()) {
    if (!GOING.has(row.state) || (!force && row.nextAt > Date.now())) continue;
    await deliver(row);
    if (connection !== "here") return;
  }
}

async function deliver(row) {
  const begun = await store.amend(row.id, { state: "sending", attempts: (row.attempts ?? 0) + 1 }, { from: [...GOING] });
  if (!begun) return;
  try {
    await (begun.kind === "report" ? sendReport(begun) : sendStep(begun));
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    await later(begun);
    connection = await present();
    tell({ connection });
  }
}

/** No answer, or one that says "not now": what was sent stays as it is and goes again. */
class Unanswered extends Error {}

async function later(row) {
  const wait = BACK_OFF_MS[Math.min(row.attempts, BACK_OFF_MS.length - 1)];
  await store.amend(row.id, { state: "waiting", nextAt: Date.now() + wait * (0.75 + Math.random() / 2) });
}

const NOT_NOW = (status) => status === 0 || status === 401 || status === 408 || status === 425 || status === 429 || status >= 500;

/** Tell a lost session or token from a true refusal: both may come as 403. */
function wanting({ status, body }) {
  if (NOT_NOW(status)) return true;
  if (status !== 403) return false;
  const codes = complaints(body).map(({ code }) => code);
  return !body || codes.includes("not_authenticated") || complaints(body).some(({ words }) => words.startsWith("CSRF"));
}

async function sendReport(row) {
  let { answer } = row;
  if (!answer) {
    const reply = await ask("POST", "/api/v1/hazards/", row.body);
    if (wanting(reply)) throw new Unanswered();
    if (reply.status !== 200 && reply.status !== 201) return refused(row, reply);
    answer = reply.body;
    await store.amend(row.id, { answer });
    tell({ record: row.id, answer });
  }
  if (!(await sendPhotos(row, row.id))) return undefined;
  if (row.spot) return handleOnSpot({ ...row, answer });
  return store.amend(row.id, { state: "delivered", deliveredAt: Date.now(), problem: null });
}

/** What was put right on the spot is a step of its own, after both photos. */
async function handleOnSpot(row) {
  const body = row.spot.body ?? { id: row.spot.id, version: row.answer.version, ...(row.spot.words ? { words: row.spot.words } : {}) };
  await store.amend(row.id, { spot: { ...row.spot, body } });
  const reply = await ask("POST", `/api/v1/hazards/${row.id}/handle_on_spot/`, body);
  if (wanting(reply)) throw new Unanswered();
  if (reply.status === 200) {
    return store.amend(row.id, { state: "delivered", answer: reply.body, deliveredAt: Date.now(), problem: null });
  }
  return store.amend(row.id, {
    state: "failed", problem: { words: [gettext("The hazard is filed. That it was put right on the spot was not taken over: see the case.")], said: complaints(reply.body) },
  });
}

async function sendStep(row) {
  if (!(await sendPhotos(row, row.hazard))) return undefined;
  const reply = await ask("POST", `/api/v1/hazards/${row.hazard}/${row.action}/`, row.body);
  if (wanting(reply)) throw new Unanswered();
  if (reply.status === 200) {
    return store.amend(row.id, { state: "delivered", answer: reply.body, deliveredAt: Date.now(), problem: null });
  }
  if (reply.status === 409) {
    // The refusal may carry the present case; it is read again, so that it is whole and today's.
    const now = await ask("GET", `/api/v1/hazards/${row.hazard}/`);
    if (wanting(now)) throw new Unanswered();
    return store.amend(row.id, { state: "conflict", theirs: now.body, problem: { words: [gettext("This case changed in the meantime.")] } });
  }
  return refused(row, reply);
}

const PHOTO_REFUSED = {
  413: gettext("Photo: too large for the server. Take it again."),
  415: gettext("Photo: the server cannot open it. Take it again."),
  422: gettext("Photo: it was damaged on the way. Send it again."),
};

const LAST_MS = Date.UTC(2100, 0, 1), WIDEST_M = 100_000; // what the door takes; a stranger clock says nothing

/** What the phone says of a photo: when it was taken and, unless it came from the album, where the phone stood. */
function claims(photo, row) {
  const said = new URLSearchParams({ role: photo.role });
  const taken = photo.takenAt + (serverNow() - Date.now());
  if (taken > 0 && taken < LAST_MS) said.set("taken_at", new Date(taken).toISOString());
  const place = row.form?.place;
  if (!photo.library && place?.source === "gps") {
    const { lon, lat, accuracy_m } = place;
    for (const [name, value] of Object.entries({ lon, lat, accuracy_m: Math.min(accuracy_m, WIDEST_M), datum: "wgs84" })) said.set(name, value);
  }
  return said;
}

/**
 * Send the photos that are not there yet. Return whether all are; one that cannot be taken stops only its record. One
 * that comes to a case which has moved on (409) is left to the step: its refusal says so and shows both sides.
 */
async function sendPhotos(row, hazard) {
  const photos = await store.photosOf(row.id);
  for (const photo of photos.filter(({ sent }) => !sent)) {
    const url = `/api/v1/hazards/${hazard}/photos/${photo.sha256}?${claims(photo, row)}`;
    const reply = await put(url, photo.bytes, photo.type, (part) => tell({ record: row.id, photo: photo.key, part }));
    if (wanting(reply)) throw new Unanswered();
    if (reply.status === 409) continue;
    if (reply.status !== 200 && reply.status !== 201) {
      const words = PHOTO_REFUSED[reply.status] ?? gettext("A photo was not taken over. Send it again.");
      await store.amend(row.id, { state: "failed", problem: { words: [words], said: complaints(reply.body), photo: photo.key } });
      return false;
    }
    await store.keepPhoto({ ...photo, sent: true });
    tell({ record: row.id, photo: photo.key, part: 1 });
  }
  return true;
}

async function refused(row, { status, body }) {
  const said = complaints(body);
  // A phone whose clock runs ahead would file in the future: the server's clock is taken, once.
  if (status === 400 && !row.clockMended && said.length && said.every(({ field }) => field === "occurred_at")) {
    const id = newId();
    const mended = { ...row, clockMended: true, state: "waiting", nextAt: 0, body: { ...row.body, id, occurred_at: serverNow().toISOString() } };
    await store.rename(mended, id);
    again = true;
    return undefined;
  }
  const words = {
    403: gettext("You may not do this with this case."), 404: gettext("This case is not open to you."),
  }[status] ?? gettext("Some details need correcting. Everything is kept.");
  return store.amend(row.id, { state: status === 400 || status === 422 ? "fix" : "failed", problem: { words: [words], said, status } });
}

/**
 * Freeze a record: from here on this id means this body. Return whether it was this tab that did it: when another
 * has sent the same draft already, what that one sent stands.
 */
export async function freeze(row, body, extra = {}) {
  const frozen = { ...row, ...extra, body, state: "waiting", attempts: 0, nextAt: 0, problem: null, frozenAt: Date.now() };
  const first = await store.keepFrom(["draft"], frozen);
  if (first) await store.askToStay();
  return first;
}

/**
 * Open a refused record for correction, or one that was never sent. The server has nothing under its id, so a report
 * gets a new one. Return null when it has moved on meanwhile.
 */
export async function thaw(row) {
  const open = await store.amend(row.id, { state: "draft", body: null, attempts: 0, stepId: newId() }, { from: ["fix", "conflict", "failed", "waiting"] });
  if (!open) return null;
  return row.kind === "report" ? store.rename(open, newId()) : open;
}

export const mayThaw = (row) => row.state === "fix" || row.state === "conflict" || (row.state === "failed" && !row.answer)
  || (row.state === "waiting" && !row.attempts);

/** Begin: now, when the net comes back, when the page is looked at again, and each minute while it is. */
export function start() {
  send({ force: true });
  addEventListener("online", () => send({ force: true }));
  addEventListener("offline", () => { connection = "offline"; tell({ connection }); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
  setInterval(async () => {
    if (document.hidden) return;
    const rows = await store.records(user);
    if (connection !== "here" || rows.some(({ state }) => GOING.has(state))) send();
  }, EVERY_MS);
}
