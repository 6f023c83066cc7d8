// One step of a case: whatever its row of the table asks for, and nothing else.
import "./shell.js";
import { ask, user } from "./api.js";
import { announce, find, findAll, icon, make, told } from "./dom.js";
import { complain, sayKept, saver } from "./form.js";
import { newId } from "./ids.js";
import { Strip } from "./photos.js";
import { Place, distance } from "./place.js";
import { showProgress } from "./progress.js";
import * as sender from "./sender.js";
import * as store from "./store.js";
import { showPhotos } from "./viewer.js";
import { fill, gettext, metres, moment } from "./words.js";

const step = told("step-told"); // {hazard, number, action, label, version, requires, photos: {role: {need, there}}, state, title}
const form = find("[data-step]");
const words = find("[data-words]");
const department = find("#department-code");
let draft = {
  id: newId(), stepId: newId(), kind: "step", user, state: "draft", createdAt: Date.now(), form: {}, hazard: step.hazard,
  action: step.action, label: step.label, title: `${step.label} · ${step.title}`,
};
let begun = false;
let sending = false;

const keeper = saver(save);
const placeBlock = find("[data-place]");
const place = placeBlock ? new Place(placeBlock, { changed: () => { sayDistance(); if (begun) keeper.soon(); }, cells: false }) : null;
const handle = { id: () => draft.id, begin: save, changed: save };
const strips = Object.fromEntries(findAll("[data-strip]").map((box) => [box.dataset.strip, new Strip(box, handle)]));

async function save() {
  if (sending) return;
  begun = true;
  draft = { ...draft, form: { words: words.value, department: department?.value ?? "", place: place?.value ?? null } };
  await store.keep(draft);
  sayKept();
}

/** Say how far from the case the worker stands, and when that is farther than the matter allows. */
function sayDistance() {
  const line = find("[data-distance]");
  if (!line || !place?.value) return;
  const m = distance(place.value, { lon: Number(line.dataset.lon), lat: Number(line.dataset.lat) });
  const limit = Number(line.dataset.within) || 0;
  const far = limit && m > limit + place.value.accuracy_m;
  line.classList.toggle("far", Boolean(far));
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
  await keeper.now();
  sending = true;
  await sender.freeze(draft, body(version));
  form.hidden = true;
  find("[data-thumb]").hidden = true;
  show();
  await sender.send({ force: true });
}

function show() {
  showProgress(find("[data-after]"), draft.id, { again: `/field/cases/${step.hazard}/`, correct: () => location.reload(), done: finished });
}

function finished(row) {
  return [make("article", { class: "hero", "data-delivered": row.answer.id }, make("div", { class: "hero-head" }, make("h2", { tabindex: "-1" }, gettext("Delivered")), make("span", { class: "soft" }, moment(row.deliveredAt))),
    make("p", { class: "big" }, row.label), make("p", { class: "number" }, row.answer.number)),
  make("div", { class: "act-row" }, make("a", { class: "act act-main", href: "/field/" }, gettext("Back to today")),
    make("a", { class: "act act-tall", href: `/field/cases/${step.hazard}/` }, gettext("See the case")))];
}

/** Mine and theirs side by side, in plain words; nothing is sent over the other without a tap. */
async function conflict(row) {
  const section = find("[data-conflict]");
  const theirs = row.theirs ?? {};
  const { status, body: open } = await ask("GET", `/api/v1/hazards/${step.hazard}/steps/`);
  const possible = status === 200 && open.some(({ action }) => action === step.action);
  const label = (state) => step.states[state] ?? state;
  section.hidden = false;
  form.hidden = true;
  find("[data-thumb]").hidden = true;
  document.querySelector("[data-closed]")?.remove();
  section.replaceChildren(
    make("h2", { tabindex: "-1" }, gettext("Somebody else changed this case in the meantime.")),
    make("div", { class: "who-both" },
      make("div", { class: "who who-mine" }, make("b", {}, gettext("Mine")), make("p", {}, row.label), row.form.words ? make("p", {}, row.form.words) : null, make("p", {}, fill(gettext("written %(when)s"), { when: moment(row.frozenAt ?? row.updatedAt) }))),
      make("div", { class: "who" }, make("b", {}, gettext("On the platform")), make("p", {}, label(theirs.state)), make("p", {}, theirs.number ?? ""))),
    make("p", { class: "same-note soft" }, icon("info"), make("span", {}, possible ? gettext("Your step is still possible.") : gettext("Your step is not possible any more. What you wrote stays here until you delete it."))),
    make("div", { class: "act-row" },
      possible ? make("button", { class: "act act-main", type: "button", onclick: async () => {
        draft = { ...(await sender.thaw(row)), theirs: null };
        section.hidden = true;
        await submit(theirs.version);
      } }, icon("send"), gettext("Send mine now")) : null,
      make("button", { class: "act act-tall", type: "button", onclick: async () => { await store.drop(row.id); location.href = `/field/cases/${step.hazard}/`; } }, icon("bin"), gettext("Leave it as it is on the platform"))));
  find("h2", section).focus();
}

/** A draft of this very step is taken up again; its photos, words and place with it. */
async function restore() {
  const kept = (await store.records(user)).find((row) => row.kind === "step" && row.hazard === step.hazard && row.action === step.action && row.state !== "delivered");
  if (!kept) return;
  draft = kept;
  begun = true;
  words.value = kept.form.words ?? "";
  if (department && kept.form.department) department.value = kept.form.department;
  for (const strip of Object.values(strips)) await strip.load();
  if (kept.state === "conflict") { await conflict(kept); return; }
  if (kept.state === "draft") { sayKept(); return; }
  if (!sender.mayThaw(kept)) { form.hidden = true; find("[data-thumb]").hidden = true; show(); return; }
  draft = await sender.thaw(kept);
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
    if (draft.form.place) place.restore(draft.form.place);
    else place.begin();
    sayDistance();
  }
  store.onChange(async () => {
    const row = await store.record(draft.id, user);
    if (row?.state === "conflict" && find("[data-conflict]").hidden) { find("[data-after]").hidden = true; sending = false; await conflict(row); }
  });
  form.dataset.ready = "yes";
}

open();
