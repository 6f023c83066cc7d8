// Report a hazard on one screen. The draft is kept each second; its id is the hazard's id for ever.
import "./shell.js";
import { serverNow, user } from "./api.js";
import { offer as offerCriteria } from "./criteria.js";
import { announce, find, findAll, make, told } from "./dom.js";
import { complain, complaining, sayKept, saver } from "./form.js";
import { newId } from "./ids.js";
import * as matters from "./matter.js";
import { Near } from "./near.js";
import { Parts } from "./parts.js";
import { Strip } from "./photos.js";
import { Place } from "./place.js";
import { showProgress } from "./progress.js";
import * as sender from "./sender.js";
import * as store from "./store.js";
import { ago, fill, gettext } from "./words.js";

const form = find("[data-report]");
const boxes = {
  words: find("[data-words]"), criterion: find("#criterion-words"), spot: find("[data-spot]"), spotWords: find("[data-spot-words]"),
};
let draft = { id: newId(), kind: "report", user, state: "draft", createdAt: Date.now(), form: {}, spotId: newId() };
let begun = false;
let sending = false;
let rows = [];
let matter = null;
let tried = null; // what the last press on "report" found wanting

const keeper = saver(() => save());
// A position alone is no draft yet: opening the page and leaving it keeps nothing.
const near = new Near(find("[data-near]"));
const parts = new Parts(find("[data-parts]"), { changed: () => { if (begun) keeper.soon(); } });
const place = new Place(find("[data-place]"), { changed: () => { if (begun) keeper.soon(); near.look(matter, place.value); parts.look(place.value); } });
const handle = { id: () => draft.id, begin, changed: () => save() };
const strips = Object.fromEntries(findAll("[data-strip]").map((box) => [box.dataset.strip, new Strip(box, handle)]));

const severity = () => find("input[name=severity]:checked", form).value;

/** Write the draft for the first time; from here on a reload finds it. */
async function begin() {
  if (begun) return;
  begun = true;
  await save();
  history.replaceState(null, "", `?draft=${draft.id}`);
}

async function save({ last = false } = {}) {
  if (sending && !last) return;
  begun = true;
  draft = {
    ...draft, title: matter ? matters.nameOf(matter) : "",
    form: {
      matter: matter?.code ?? draft.form.matter ?? null, words: boxes.words.value, severity: severity(), criterion: boxes.criterion.value,
      spot: boxes.spot.checked, spotWords: boxes.spotWords.value, place: place.value,
      component: parts.chosen,
    },
  };
  if (!(await store.keepFrom(["draft"], draft))) { follow(); return; } // another tab has sent it
  if (!location.search.includes(draft.id)) history.replaceState(null, "", `?draft=${draft.id}`);
  sayKept();
  recheck();
}

/** What was put right stops being complained about; nothing new is added before the next try. */
function recheck() {
  if (form.hidden || !complaining(form) || !tried) return;
  const still = new Set(faults().map(({ id }) => id));
  tried = tried.filter(({ id }) => still.has(id));
  complain(form, tried, { quietly: true });
}

function choose(one, { proposed = true } = {}) {
  matter = one;
  for (const button of findAll("[data-matter]")) button.setAttribute("aria-pressed", String(button.dataset.matter === one.code));
  find("[data-matter-now]").replaceChildren(make("b", {}, matters.nameOf(one)), make("br"), make("span", { class: "soft" }, matters.about(one)));
  near.look(matter, place.value);
  if (proposed && one.severity) find(`input[name=severity][value="${one.severity}"]`, form).checked = true;
  drawRest();
}

/** Show what the present choices ask for. */
function drawRest() {
  find("[data-criterion]").hidden = severity() !== "major";
  if (severity() === "major") offerCriteria(boxes.criterion.list, matter ? matters.classOf(matter).code : "");
  boxes.spot.disabled = severity() === "major"; // it needs an approved plan first
  boxes.spot.checked &&= !boxes.spot.disabled;
  find("[data-spot-why]").hidden = !boxes.spot.disabled;
  find("[data-spot-more]").hidden = !boxes.spot.checked;
  find("[data-photos-name]").textContent = boxes.spot.checked ? gettext("Photos before") : gettext("Scene photos");
  const need = photosNeeded();
  find("[data-photos-need]").textContent = need ? fill(gettext("at least %(n)s"), { n: need }) : "";
}

const photosNeeded = () => Math.max(matter?.photos_before ?? 0, boxes.spot.checked ? 1 : 0);

function faults() {
  const list = [];
  const need = photosNeeded();
  if (strips.scene.photos.length < need) {
    list.push({ id: "photos", words: fill(gettext("Photos: this matter needs %(n)s, please take them"), { n: need }) });
  }
  if (!matter) list.push({ id: "matter", words: gettext("Matter: choose what it is") });
  if (!place.value) list.push({ id: "location", words: gettext("Place: wait for the position or set the pin on the map") });
  if (severity() === "major" && !boxes.criterion.value.trim()) list.push({ id: "criterion", words: gettext("Criterion: name what makes it a major hazard") });
  if (boxes.spot.checked && strips.after.photos.length < Math.max(1, matter?.photos_after ?? 1)) {
    list.push({ id: "after", words: gettext("After: take a photo of how it looks now") });
  }
  return list;
}

const FIELD_OF = { "location.lon": "location", "location.lat": "location", "location.accuracy_m": "location", cell: "location", component: "location", occurred_at: "description" };

/** Freeze what is written and let the sender carry it. A second tap finds the form already sending. */
async function submit() {
  if (sending || Object.values(strips).some(({ busy }) => busy)) {
    if (!sending) announce(gettext("A photo is still being shrunk."));
    return;
  }
  if (!place.value) place.take();
  const list = faults();
  tried = list;
  complain(form, list);
  if (list.length) return;
  sending = true;
  await save({ last: true });
  const { lon, lat, accuracy_m, cell } = place.value;
  const body = {
    id: draft.id, matter: matter.code, severity: severity(), description: boxes.words.value.trim(),
    location: { lon, lat, accuracy_m, datum: "wgs84" }, cell: cell ?? null,
    occurred_at: new Date(Math.min(Date.now(), draft.createdAt) + (serverNow() - Date.now())).toISOString(),
    ...(parts.chosen ? { component: parts.chosen.code } : {}),
    handled_on_spot: boxes.spot.checked, ...(severity() === "major" ? { criterion: boxes.criterion.value.trim() } : {}),
  };
  for (const photo of strips.scene.photos) await store.keepPhoto({ ...photo, role: boxes.spot.checked ? "before" : "scene" });
  if (!boxes.spot.checked) for (const photo of strips.after.photos) await store.dropPhoto(photo.key);
  await sender.freeze(draft, body, { spot: boxes.spot.checked ? { id: draft.spotId, words: boxes.spotWords.value.trim() } : null });
  follow();
  await sender.send({ force: true });
}

/** Show how the sending goes instead of the form. */
function follow() {
  sending = true;
  form.hidden = true;
  find("[data-thumb]").hidden = true;
  find("[data-kept]").textContent = draft.title;
  showProgress(find("[data-after]"), draft.id, {
    again: "/field/report/", correct: (row) => { location.href = `/field/report/?draft=${row.id}`; },
  });
}

async function restore(id) {
  let row = await store.record(id, user);
  if (!row) return false;
  if (row.state !== "draft") {
    const open = sender.mayThaw(row) ? await sender.thaw(row) : null;
    if (!open) { draft = row; follow(); return true; }
    row = open;
    history.replaceState(null, "", `?draft=${row.id}`);
  }
  draft = row;
  begun = true;
  const { form: kept } = row;
  boxes.words.value = kept.words ?? "";
  boxes.criterion.value = kept.criterion ?? "";
  boxes.spot.checked = Boolean(kept.spot);
  boxes.spotWords.value = kept.spotWords ?? "";
  find(`input[name=severity][value="${kept.severity || "general"}"]`, form).checked = true;
  // A photo that went out as "before" is a scene photo again while the form is open.
  for (const photo of await store.photosOf(row.id)) if (photo.role === "before") await store.keepPhoto({ ...photo, role: "scene" });
  for (const strip of Object.values(strips)) await strip.load();
  sayKept();
  return true;
}

/** Offer the newest unfinished report; it is never opened or overwritten unasked. */
async function offer() {
  const [last] = (await store.records(user)).filter((row) => row.kind === "report" && row.state === "draft");
  if (!last) return;
  const box = find("[data-resume]");
  find("[data-resume-words]", box).textContent = fill(gettext("Not finished: %(what)s, %(when)s"), { what: last.title || gettext("no matter yet"), when: ago(last.updatedAt) });
  find("[data-resume-link]", box).href = `/field/report/?draft=${last.id}`;
  box.hidden = false;
}

function listen() {
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  form.addEventListener("input", (event) => { if (event.target.type !== "file") { drawRest(); keeper.soon(); } });
  for (const button of findAll("[data-matter]")) {
    button.addEventListener("click", () => {
      const one = rows.find(({ code }) => code === button.dataset.matter) ?? recent.find(({ code }) => code === button.dataset.matter);
      choose(one);
      save();
    });
  }
  find("[data-matter-open]").addEventListener("click", () => sheet.open());
}

const recent = told("recent") ?? [];
const sheet = new matters.Sheet(find("#matter-dialog"), (one) => { choose(one); save(); find("[data-matter-open]").focus(); });

function take(list) {
  rows = list;
  sheet.show(list);
  find("[data-matter-count]").textContent = list.length || "";
  const code = matter?.code ?? draft.form.matter;
  const one = list.find((row) => row.code === code) ?? recent.find((row) => row.code === code);
  if (one) choose(one, { proposed: false });
}

async function open() {
  listen();
  const wanted = new URLSearchParams(location.search).get("draft");
  const kept = wanted ? await restore(wanted) : false;
  if (!form.hidden) {
    if (kept) parts.restore(draft.form.component);
    if (kept && draft.form.place) place.restore(draft.form.place);
    else place.begin();
    if (!kept) offer();
  }
  take(await matters.catalogue(take));
  drawRest();
  if (kept && !form.hidden && draft.problem?.said?.length) {
    complain(form, draft.problem.said.map(({ field, words }) => ({ id: document.getElementById(FIELD_OF[field] ?? field) ? (FIELD_OF[field] ?? field) : "description", words })));
  }
  form.dataset.ready = "yes";
  performance.mark("form-ready");
}

open();
