// Drafts and what is not delivered, sorted by who must move: you, then what goes by itself, then the unfinished.
import "./shell.js";
import { user } from "./api.js";
import { announce, find, icon, make } from "./dom.js";
import * as sender from "./sender.js";
import * as store from "./store.js";
import { ago, fill, gettext, moment } from "./words.js";

const list = find("[data-queue]");
const NAMES = {
  draft: gettext("Draft"), waiting: gettext("Waiting"), sending: gettext("Sending"), delivered: gettext("Delivered"),
  failed: gettext("Failed"), fix: gettext("To correct"), conflict: gettext("Conflict"),
};
const GROUPS = [
  ["hand", gettext("Needs you"), (row) => sender.BY_HAND.has(row.state)],
  ["going", gettext("Goes by itself"), (row) => sender.GOING.has(row.state)],
  ["draft", gettext("Not finished"), (row) => row.state === "draft"],
  ["delivered", gettext("Delivered"), (row) => row.state === "delivered"],
];
const MOST_DELIVERED = 10;
const parts = new Map();

const form = (row) => (row.kind === "report" ? `/field/report/?draft=${row.id}` : `/field/cases/${row.hazard}/${row.action}/`);

async function item(row) {
  const photos = await store.photosOf(row.id);
  const gone = photos.filter(({ sent }) => sent).length;
  const share = Math.round(((row.answer || row.kind === "step" ? 1 : 0) + gone) / (photos.length + 1) * 100);
  const state = make("p", { class: "state-words" },
    make("span", {}, row.state === "sending" ? fill(gettext("Sending: %(n)s"), { n: `${share} %` }) : NAMES[row.state]),
    make("time", {}, row.state === "draft" ? ago(row.updatedAt) : moment(row.deliveredAt ?? row.frozenAt ?? row.updatedAt)));
  const body = [make("p", {}, make("b", {}, row.title || gettext("no matter yet")))];
  if (row.state === "sending") {
    const bar = make("progress", { max: 100, value: share, "aria-label": NAMES.sending });
    parts.set(row.id, { bar, gone, of: photos.length + 1 });
    body.push(bar);
  }
  body.push(...why(row, photos, gone), make("div", { class: "act-row" }, ...acts(row)));
  return make("li", { class: `queue-item${sender.BY_HAND.has(row.state) ? " needs-hand" : ""}${row.state === "draft" ? " is-draft" : ""}`, "data-state": row.state, "data-record": row.id },
    icon(`s-${row.state}`, "state-mark"), state, ...body);
}

function why(row, photos, gone) {
  if (row.state === "delivered") return [make("p", { class: "why" }, gettext("Number"), " ", make("span", { class: "case-number" }, row.answer?.number ?? ""))];
  const lines = (row.problem?.words ?? []).concat((row.problem?.said ?? []).map(({ words }) => words));
  if (row.answer) lines.push(photos.length ? fill(gettext("Filed as %(number)s; photos sent: %(n)s of %(m)s"), { number: row.answer.number, n: gone, m: photos.length }) : fill(gettext("Filed as %(number)s"), { number: row.answer.number }));
  else if (photos.length) lines.push(fill(gettext("Photos: %(n)s"), { n: photos.length }));
  if (row.state === "waiting" && row.attempts) lines.push(fill(gettext("Tried: %(n)s"), { n: row.attempts }));
  return lines.map((line) => make("p", { class: "why" }, line));
}

const button = (act, symbol, words, onclick) => make("button", { class: "act", type: "button", "data-act": act, onclick }, icon(symbol), words);
const link = (act, symbol, words, href) => make("a", { class: "act", "data-act": act, href }, icon(symbol), words);

function acts(row) {
  const { state, answer } = row;
  const open = state === "draft" || sender.mayThaw(row);
  const list = [];
  if (state === "draft") list.push(link("go-on", "pen", gettext("Go on with it"), form(row)));
  if (sender.BY_HAND.has(state) && open) list.push(state === "conflict" ? link("compare", "eye", gettext("Compare both"), form(row)) : link("correct", "pen", gettext("Correct it"), form(row)));
  if (state === "failed" || state === "waiting") list.push(button("send", "send", gettext("Send now"), () => retry(row)));
  if (state === "delivered" && navigator.clipboard) list.push(button("copy", "copy", gettext("Copy the number"), () => copy(row)));
  if (answer) list.push(link("case", "eye", gettext("See the case"), `/field/cases/${answer.id}/`));
  if (state === "failed" && answer) list.push(button("finish", "tick", gettext("Leave it at that"), () => finish(row)));
  if (open && state !== "delivered") list.push(button("delete", "bin", gettext("Delete"), () => remove(row)));
  return list;
}

/** The case is filed; what of it was refused is given up. */
const finish = (row) => store.amend(row.id, { state: "delivered", deliveredAt: Date.now(), problem: null }, { from: ["failed"] });

async function retry(row) {
  await store.amend(row.id, { state: "waiting", nextAt: 0 }, { from: ["failed", "waiting"] });
  await sender.send({ force: true });
}

async function copy(row) {
  const copied = await navigator.clipboard.writeText(row.answer.number).then(() => true, () => false);
  announce(copied ? gettext("Number copied") : fill(gettext("The browser does not let the number be copied: %(number)s"), { number: row.answer.number }));
}

/** Deleting can be taken back as long as the page stands. */
async function remove(row) {
  const photos = await store.photosOf(row.id);
  await store.drop(row.id);
  const line = find("[data-undo]");
  const undo = make("button", { class: "act", type: "button", onclick: async () => {
    for (const photo of photos) await store.keepPhoto(photo);
    await store.keep(row);
    line.hidden = true;
  } }, icon("return"), gettext("Undo"));
  line.replaceChildren(make("p", { class: "words" }, fill(gettext("Deleted: %(what)s"), { what: row.title || gettext("no matter yet") })), undo);
  line.hidden = false;
  undo.focus();
}

let drawing = Promise.resolve();

async function draw() {
  const rows = await store.records(user);
  parts.clear();
  const sections = [];
  for (const [key, name, belongs] of GROUPS) {
    const some = rows.filter(belongs);
    if (!some.length) continue;
    const shown = key === "delivered" ? some.slice(0, MOST_DELIVERED) : some;
    sections.push(make("section", { class: "row-list", "aria-labelledby": `group-${key}` },
      make("div", { class: "section-head" }, make("h2", { id: `group-${key}` }, `${name} · ${some.length}`)),
      make("ul", { class: "row-list" }, ...(await Promise.all(shown.map(item))))));
  }
  const empty = make("p", { class: "card empty-note" }, icon("tick"), make("span", {}, gettext("Nothing is kept here: no draft, nothing unsent.")));
  list.replaceChildren(...(sections.length ? sections : [empty]));
  find("[data-send-all]").parentElement.hidden = !rows.some((row) => sender.GOING.has(row.state) || row.state === "failed");
}

const redraw = () => { drawing = drawing.then(draw, draw); };

async function room() {
  const left = await store.room();
  const size = !left ? "" : left.bytes < 1e9 ? `${Math.round(left.bytes / 1e6)} MB` : `${(left.bytes / 1e9).toFixed(1)} GB`;
  const words = !left ? [] : [fill(left.little ? gettext("Little room left for photos: %(size)s") : gettext("Room left for photos: %(size)s"), { size })];
  find("[data-room]").textContent = [...words, gettext("What is not delivered is never cleared away.")].join(" · ");
}

find("[data-send-all]").addEventListener("click", async () => {
  for (const row of await store.records(user)) if (row.state === "failed") await store.amend(row.id, { state: "waiting", nextAt: 0 }, { from: ["failed"] });
  await sender.send({ force: true });
});
store.onChange(redraw);
sender.watch(({ record, photo, part, connection }) => {
  const known = parts.get(record);
  if (known && photo) known.bar.value = Math.round(Math.min(1, (known.gone + 1 + part) / known.of) * 100);
  if (connection) {
    const said = { here: gettext("Connected"), offline: gettext("Offline"), "signed-out": gettext("Sign in to go on sending"), other: gettext("Signed in as somebody else") }[connection];
    find("[data-connection]").textContent = `${said} · ${moment(Date.now())}`;
  }
});
redraw();
room();
