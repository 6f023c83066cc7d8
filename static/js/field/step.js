// One step of a case: whatever its row of the table asks for, and nothing else.
import { distance, tooFar } from "../distance.js";
import "./shell.js";
import { ask, user } from "./api.js";
import { announce, find, findAll, icon, make, told } from "./dom.js";
import { complain, sayKept, saver } from "./form.js";
import { newId } from "./ids.js";
import { Strip, picture } from "./photos.js";
import { Place } from "./place.js";
import { showProgress } from "./progress.js";
import * as sender from "./sender.js";
import * as store from "./store.js";
import { showPhotos } from "./viewer.js";
import { fill, gettext, metres, moment } from "./words.js";

const step = told("step-told"); // {hazard, number, action, label, version, requires, photos: {role: {need, there}}, title, states, labels}
const form = find("[data-step]");
const words = find("[data-words]");
const department = find("#department-code");
let draft = {
  id: newId(), stepId: newId(), kind: "step", user, state: "draft", createdAt: Date.now(), form: {}, hazard: step.hazard,
  action: step.action, label: step.label, title: `${step.label} · ${step.title}`,
};
let begun = false;
let sending = false;
let comparing = false; // mine and the platform's stand side by side

const keeper = saver(() => save());
const placeBlock = find("[data-place]");
const place = placeBlock ? new Place(placeBlock, { changed: () => { sayDistance(); if (begun) keeper.soon(); }, cells: false }) : null;
const handle = { id: () => draft.id, begin: () => save(), changed: () => save() };
const strips = Object.fromEntries(findAll("[data-strip]").map((box) => [box.dataset.strip, new Strip(box, handle)]));

async function save({ last = false } = {}) {
  if (sending && !last) return;
  begun = true;
  draft = { ...draft, form: { words: words.value, department: department?.value ?? "", place: place?.value ?? draft.form.place ?? null } };
  if (await store.keepFrom(["draft"], draft)) sayKept();
  else follow(); // another tab has sent it
}

/** Say how far from the case the worker stands, and when that is farther than the matter allows. */
function sayDistance() {
  const line = find("[data-distance]");
  if (!line || !place?.value) return;
  const m = distance(place.value, { lon: Number(line.dataset.lon), lat: Number(line.dataset.lat) });
  const limit = Number(line.dataset.within) || 0;
  const far = tooFar(m, limit, place.value.accuracy_m);
  line.classList.toggle("far", far);
  line.textContent = far
    ? fill(gettext("%(distance)s from the case; this matter is verified within %(limit)s."), { distance: metres(m), limit: metres(limit) })
    : fill(gettext("%(distance)s from the case"), { distance: metres(m) });
}

function faults() {
  const list = [];
  for (const [role, { need, there }] of Object.entries(step.photos)) {
    const missing = need - there - strips[role].photos.length;
    if (missing > 0) list.push({ id: `photo-${role}`, words: fill(gettext("Photos: still to take: %(n)s"), { n: missing }) });
  }
  if (place && !place.value) list.push({ id: "location", words: gettext("Place: wait for the position or set the pin on the map") });
  if (step.requires.includes("department") && !department.value) list.push({ id: "department", words: gettext("Department: choose one") });
  if ((step.requires.includes("reason") || step.requires.includes("words")) && !words.value.trim()) {
    list.push({ id: "words", words: gettext("Words: write or speak one sentence") });
  }
  return list;
}

function body(version) {
  const said = words.value.trim();
  const all = { id: draft.stepId, version };
  if (said) all[step.requires.includes("reason") ? "reason" : "words"] = said;
  if (department) all.department = department.value;
  if (place) {
    const { lon, lat, accuracy_m } = place.value;
    all.location = { lon, lat, accuracy_m, datum: "wgs84" };
  }
  return all;
}

async function submit(version) {
  if (sending || Object.values(strips).some(({ busy }) => busy)) {
    if (!sending) announce(gettext("A photo is still being shrunk."));
    return;
  }
  if (place && !place.value) place.take();
  const list = faults();
  complain(form, list);
  if (list.length) return;
  sending = true;
  await save({ last: true });
  await sender.freeze(draft, body(version));
  follow();
  await sender.send({ force: true });
}

/** Show how the sending goes instead of the form. */
function follow() {
  sending = true;
  form.hidden = true;
  find("[data-thumb]").hidden = true;
  find("[data-kept]").textContent = draft.title;
  showProgress(find("[data-after]"), draft.id, { again: `/field/cases/${step.hazard}/`, correct: () => location.reload(), done: finished });
}

function finished(row) {
  return [make("article", { class: "hero", "data-delivered": row.answer.id }, make("div", { class: "hero-head" }, make("h2", { tabindex: "-1" }, gettext("Delivered")), make("span", { class: "soft" }, moment(row.deliveredAt))),
    make("p", { class: "big" }, row.label), make("p", { class: "number" }, row.answer.number)),
  make("div", { class: "act-row" }, make("a", { class: "act act-main", href: "/field/" }, gettext("Back to today")),
    make("a", { class: "act act-tall", href: `/field/cases/${step.hazard}/` }, gettext("See the case")))];
}

const sides = (name, mine, theirs) => make("div", { class: "version-field" }, make("h3", {}, name), make("div", { class: "two-sides" },
  make("div", { class: "side", "data-side": "mine" }, make("b", {}, gettext("Mine")), ...mine),
  make("div", { class: "side", "data-side": "theirs" }, make("b", {}, gettext("On the platform")), ...theirs)));
const said = (text) => make("p", text ? {} : { class: "soft" }, text || gettext("nothing"));

/** Mine and the platform's side by side, in plain words; nothing is sent over the other without a tap. */
async function conflict(row) {
  comparing = true;
  const section = find("[data-conflict]");
  const theirs = row.theirs ?? (await ask("GET", `/api/v1/hazards/${step.hazard}/`)).body ?? {};
  const mine = await store.photosOf(row.id);
  const [steps, history, photos] = await Promise.all(["steps/", "history/?page_size=1000", "photos/?page_size=1000"].map((what) => ask("GET", `/api/v1/hazards/${step.hazard}/${what}`)));
  const possible = steps.status === 200 && steps.body.some(({ action }) => action === step.action);
  const latest = history.body?.results?.at(-1) ?? {};
  const since = (photos.body?.results ?? []).filter(({ at }) => Date.parse(at) > row.createdAt);
  const who = latest.actor ? `${latest.actor.slice(0, 1)}*` : "";
  section.hidden = false;
  form.hidden = true;
  document.querySelector("[data-closed]")?.remove();
  find("[data-heading]").textContent = gettext("Both are kept: choose one");
  find("[data-kept]").textContent = step.number;
  section.replaceChildren(...[
    make("h2", { tabindex: "-1" }, gettext("This case changed in the meantime.")),
    make("div", { class: "who-both" },
      make("div", { class: "who who-mine" }, make("b", {}, gettext("Mine")), make("p", {}, fill(gettext("written %(when)s"), { when: moment(row.frozenAt ?? row.updatedAt) }))),
      make("div", { class: "who" }, make("b", {}, gettext("On the platform")), make("p", {}, [latest.at ? moment(latest.at) : "", who].filter(Boolean).join(" ")))),
    sides(gettext("Step"), [said(row.label)], [said(step.labels[latest.action]), make("p", { class: "soft" }, step.states[theirs.state] ?? "")]),
    row.form.words || latest.words ? sides(gettext("Words"), [said(row.form.words)], [said(latest.words)]) : null,
    mine.length || since.length ? sides(gettext("Photos"), mine.length ? mine.map((photo) => make("span", { class: "photo" }, picture(photo, gettext("My photo")))) : [said("")],
      since.length ? since.map(({ thumb }) => make("span", { class: "photo" }, make("img", { src: thumb, alt: gettext("Photo on the platform") }))) : [said("")]) : null,
    make("p", { class: "same-note soft" }, icon("info"), make("span", {}, possible ? gettext("Your step is still possible.") : gettext("Your step is not possible any more. What you wrote stays here until you delete it."))),
    make("button", { class: "act act-tall", type: "button", "data-act": "leave", onclick: () => leave(row, mine) }, icon("bin"), gettext("Delete mine, leave the platform's")),
  ].filter(Boolean));
  const bar = find("[data-thumb]");
  bar.hidden = false;
  bar.replaceChildren(make("a", { class: "act", href: "/field/queue/" }, gettext("Not now")),
    possible ? make("button", { class: "act act-main", type: "button", "data-act": "send", onclick: () => sendMine(row, theirs.version) }, icon("send"), gettext("Send mine now"))
      : make("a", { class: "act act-main", href: `/field/cases/${step.hazard}/` }, icon("eye"), gettext("See the case")));
  find("h2", section).focus();
}

async function sendMine(row, version) {
  const open = await sender.thaw(row);
  if (!open) { location.reload(); return; }
  draft = { ...open, theirs: null };
  sending = false;
  comparing = false;
  if (faults().length) { location.reload(); return; }
  find("[data-conflict]").hidden = true;
  await submit(version);
}

/** Take mine away; it can be taken back as long as the page stands. */
async function leave(row, photos) {
  await store.drop(row.id);
  const section = find("[data-conflict]");
  section.replaceChildren(make("section", { class: "card", "data-left": "" }, make("h2", { tabindex: "-1" }, gettext("Deleted. The case stands as it is on the platform.")),
    make("button", { class: "act", type: "button", "data-act": "undo", onclick: async () => {
      for (const photo of photos) await store.keepPhoto(photo);
      await store.keep(row);
      await conflict(row);
    } }, icon("return"), gettext("Undo"))));
  find("[data-thumb]").replaceChildren(make("a", { class: "act act-main", href: `/field/cases/${step.hazard}/` }, icon("eye"), gettext("See the case")));
  find("h2", section).focus();
}

const OTHER_VERDICT = { verify: "fail", fail: "verify" };

/** Return what was kept for this step, or for the other verdict: whoever changes their mind takes photos and words along. */
async function keptBefore() {
  const rows = (await store.records(user)).filter((row) => row.kind === "step" && row.hazard === step.hazard && row.state !== "delivered");
  const same = rows.find(({ action }) => action === step.action);
  const other = rows.find(({ action, state }) => action === OTHER_VERDICT[step.action] && state === "draft");
  if (same || !other) return same;
  const { action, label, title } = draft;
  const turned = { ...other, action, label, title };
  return (await store.keepFrom(["draft"], turned)) ? turned : undefined;
}

/** A draft of this very step is taken up again; its photos, words and place with it. */
async function restore() {
  const kept = await keptBefore();
  if (!kept) return;
  draft = kept;
  begun = true;
  words.value = kept.form.words ?? "";
  if (department && kept.form.department) department.value = kept.form.department;
  for (const strip of Object.values(strips)) await strip.load();
  if (place && kept.form.place) place.restore(kept.form.place);
  if (kept.state === "conflict" || (form.hidden && kept.state !== "delivered" && !sender.GOING.has(kept.state))) { await conflict(kept); return; }
  if (kept.state === "draft") { sayKept(); return; }
  const open = sender.mayThaw(kept) ? await sender.thaw(kept) : null;
  if (!open) { follow(); return; }
  draft = open;
  if (kept.problem?.said?.length) {
    complain(form, kept.problem.said.map(({ field, words: said }) => ({ id: fieldOf(field), words: said })));
  }
}

/** Return the block a server's field name belongs to. */
function fieldOf(field) {
  const id = field.startsWith("photo") ? `photo-${field.split(/[:.]/)[1] ?? "after"}` : { reason: "words" }[field] ?? field.split(".")[0];
  return document.getElementById(id) ? id : "words";
}

async function open() {
  showPhotos();
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(step.version); });
  form.addEventListener("input", (event) => { if (event.target.type !== "file") keeper.soon(); });
  await restore();
  if (place && !form.hidden) {
    if (!draft.form.place) place.begin();
    sayDistance();
  }
  store.onChange(async () => {
    const row = await store.record(draft.id, user);
    if (row?.state !== "conflict" || comparing) return;
    find("[data-after]").hidden = true;
    await conflict(row);
  });
  form.dataset.ready = "yes";
}

open();
