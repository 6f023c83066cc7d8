// What happens after "send": the record, then each photo, then the number of the server and what comes next.
import { user } from "./api.js";
import { announce, find, icon, make } from "./dom.js";
import { picture } from "./photos.js";
import * as sender from "./sender.js";
import * as store from "./store.js";
import { fill, gettext, moment, timeLeft } from "./words.js";

const STAGES = {
  accept: gettext("The township centre looks at it and sends it to the department."),
  rectify: gettext("The department puts it right."),
  verify: gettext("Somebody else verifies it on the spot."),
};

/** Keep a section up to date with one record until it is delivered or needs a hand. */
export function showProgress(section, id, { again, correct, done = finished }) {
  section.hidden = false;
  const parts = new Map();
  let last = "";
  async function draw() {
    const row = await store.record(id, user);
    if (!row) { await follow(); return; }
    const photos = await store.photosOf(row.id);
    const key = `${row.state} ${photos.map(({ sent }) => (sent ? 1 : 0)).join("")} ${sender.connectionNow()}`;
    if (key === last) return;
    last = key;
    if (row.state === "delivered") { section.replaceChildren(...done(row, again)); copy(row, section); announce(gettext("Delivered")); }
    else if (sender.BY_HAND.has(row.state)) { section.replaceChildren(...stopped(row, correct)); find("h2", section).focus(); }
    else section.replaceChildren(...going(row, photos, parts, again));
  }
  // A record whose clock was mended goes on under a new id.
  async function follow() {
    const [newest] = await store.records(user);
    if (newest?.clockMended) { id = newest.id; last = ""; await draw(); }
  }
  store.onChange(draw);
  sender.watch(({ record, photo, part }) => {
    if (record !== id || !photo) { draw(); return; }
    const bar = parts.get(photo);
    if (bar) { bar.value = Math.round(part * 100); if (part === 1) draw(); }
  });
  draw();
}

function going(row, photos, parts, again) {
  const offline = ["offline", "signed-out", "other"].includes(sender.connectionNow()) || (row.state === "waiting" && row.attempts > 0);
  parts.clear();
  const tiles = photos.map((photo, i) => {
    const bar = make("progress", { max: 100, value: photo.sent ? 100 : 0, "aria-label": fill(gettext("Photo %(n)s"), { n: i + 1 }) });
    parts.set(photo.key, bar);
    return make("div", { class: "photo-item" }, make("span", { class: "photo" }, picture(photo)), bar,
      make("span", { class: "photo-words" }, photo.sent ? icon("tick") : null, photo.sent ? gettext("sent") : gettext("waiting")));
  });
  const head = offline ? gettext("Kept on the phone") : gettext("Sending");
  const said = offline ? gettext("It is sent by itself as soon as the server answers. You can go on.")
    : row.answer ? gettext("The words are there, the photos follow.") : gettext("The words go first, the photos follow.");
  return [make("article", { class: "queue-item", "data-going": offline ? "kept" : "sending" }, icon(offline ? "s-waiting" : "s-sending", "state-mark"),
    make("h2", { tabindex: "-1", class: "state-words" }, head), make("p", { class: "why" }, said),
    row.answer ? make("p", { class: "case-number" }, row.answer.number) : null,
    photos.length ? make("div", { class: "photo-strip" }, ...tiles) : null),
  offline ? make("div", { class: "act-row" }, make("a", { class: "act act-main", href: "/field/" }, gettext("Back to today")),
    make("a", { class: "act act-tall", href: again }, gettext("Report another"))) : null].filter(Boolean);
}

function stopped(row, correct) {
  const said = (row.problem?.said ?? []).map(({ words }) => words);
  const act = sender.mayThaw(row)
    ? make("button", { class: "act act-main", type: "button", "data-act": "correct", onclick: () => correct(row) }, icon("pen"), gettext("Correct it"))
    : make("a", { class: "act act-main", href: "/field/queue/" }, gettext("To the queue"));
  return [make("article", { class: "queue-item needs-hand" }, icon(`s-${row.state}`, "state-mark"),
    make("h2", { tabindex: "-1", class: "state-words" }, make("span", {}, row.state === "fix" ? gettext("To correct") : gettext("Failed"))),
    ...[...(row.problem?.words ?? []), ...said].map((words) => make("p", { class: "why" }, words))), act];
}

/** The last page of a report: the number, what happens next, until when. */
function finished(row, again) {
  const { answer } = row;
  const { due } = answer;
  const number = answer.number;
  return [make("article", { class: "hero", "data-delivered": answer.id },
    make("div", { class: "hero-head" }, make("h2", { tabindex: "-1" }, gettext("Delivered")), make("span", { class: "soft" }, moment(row.deliveredAt))),
    make("p", { class: "left number", "data-number": number }, number),
    make("p", { class: "soft", "data-copied": "" }, gettext("This is the number of the case."))),
  make("section", { class: "card" }, make("h2", {}, gettext("What happens next")),
    make("p", {}, answer.state === "rectified" ? STAGES.verify : STAGES[due?.stage] ?? STAGES.accept),
    due?.at ? make("p", {}, make("b", {}, fill(gettext("by %(when)s"), { when: moment(due.at) })), ` · ${timeLeft(due.at)}`) : due?.reason ? make("p", {}, due.reason) : null,
    answer.cell_candidates?.length ? make("p", { class: "soft" }, gettext("The place touches several cells; the nearest was taken and can be corrected.")) : null),
  make("div", { class: "act-row" }, make("a", { class: "act act-main", href: again }, icon("camera"), gettext("Report another")),
    make("a", { class: "act act-tall", href: `/field/cases/${answer.id}/` }, gettext("See the case"))),
  make("a", { class: "act act-soft act-wide", href: "/field/" }, gettext("Back to today"))];
}

/** Copy the number where the browser lets us, and say so only then. */
function copy(row, section) {
  navigator.clipboard?.writeText(row.answer.number).then(() => {
    const words = find("[data-copied]", section);
    if (words) words.textContent = gettext("This is the number of the case. It has been copied.");
  }, () => {});
}
