// The supervisor's desk: rows by keys, an open row with its arithmetic and its notice, and several notices signed at once.
import { ask as send } from '../ask.js';
import { newId } from '../field/ids.js';
import { letterSwitch, lettersAct } from '../letters.js';
import { el, moment, say, t } from '../words.js';
import { showPaper } from './paper.js';

const form = document.querySelector('[data-trial]'), bulk = document.querySelector('[data-bulk]'), aside = document.getElementById('case');
const API = '/api/v1/supervision/';
const verdicts = JSON.parse(document.getElementById('verdicts').textContent);

const ask = (path, data) => send(data ? 'POST' : 'GET', API + path, { data, wait: 60_000 }); // a paper may be set and printed
const failed = ({ status, body }) => (body?.errors ?? []).map(({ detail }) => detail).join(' ') || (status ? say('refused (%(status)s)', { status }) : t('no answer came'));

// -- rows: one is selected, J and K walk, Enter opens ------------------------------------------------

const rowsOf = () => [...(form?.querySelectorAll('tr[data-row]') ?? [])];
const rowOf = hazard => rowsOf().find(row => row.dataset.row === hazard);
let open = null; // the hazard whose row is open

function select(row) {
  for (const other of rowsOf()) other.tabIndex = other === row ? 0 : -1;
  row.focus();
  row.scrollIntoView({ block: 'nearest' });
}

function walk(by) {
  const rows = rowsOf(), now = rows.indexOf(document.activeElement.closest('tr[data-row]') ?? rows.find(row => row.tabIndex === 0 && row.classList.contains('is-selected')));
  if (rows.length) select(rows[Math.min(rows.length - 1, Math.max(0, now < 0 ? 0 : now + by))]);
}

async function openRow(hazard) {
  const row = rowOf(hazard);
  shut();
  open = hazard;
  keep();
  row?.classList.add('is-selected');
  row?.setAttribute('aria-current', 'true');
  aside.replaceChildren(el('div', { class: 'loading' }, el('i'), el('i'), el('i')));
  const answer = await fetch(aside.dataset.address.replace('00000000-0000-0000-0000-000000000000', hazard), { credentials: 'same-origin' }).catch(() => null);
  const text = answer?.ok ? await answer.text().catch(() => null) : null;
  if (open !== hazard) return;
  if (text === null) {
    const again = el('button', { class: 'button is-small', type: 'button' }, t('Try again'));
    again.addEventListener('click', () => openRow(hazard));
    aside.replaceChildren(el('div', { class: 'failed', role: 'alert' }, el('p', {}, t('The case could not be loaded.')), el('p', { class: 'code' }, answer ? String(answer.status) : t('no answer came')), again));
    return;
  }
  const parts = new DOMParser().parseFromString(text, 'text/html');
  const sums = parts.querySelector('[data-part=sums]'), paper = parts.querySelector('[data-part=paper]');
  if (row) row.after(el('tr', { class: 'sum' }, el('td', { colspan: row.cells.length }, sums)));
  aside.replaceChildren(paper);
  const place = aside.querySelector('[data-paper]');
  if (place) showPaper(place, place.dataset.api);
}

function shut() {
  form?.querySelector('tr.sum')?.remove();
  const row = open && rowOf(open);
  row?.classList.remove('is-selected');
  row?.removeAttribute('aria-current');
  open = null;
}

// The address holds the open row, so that it can be passed on and survives a reload.
function keep() {
  const address = new URL(location.href);
  if (open) address.searchParams.set('case', open); else address.searchParams.delete('case');
  history.replaceState(null, '', address);
}

function toggle(hazard) {
  if (open !== hazard) { openRow(hazard); return; }
  shut();
  keep();
  aside.replaceChildren(el('div', { class: 'empty' }, t('Choose a row: how its time was counted, and its notice, are shown here.')));
}

// -- several at once: try, see the final papers with their numbers, sign; each row tells its own end --

let rows = []; // of the trial: {hazard, number, department, over, reply_due_at, verdict, reason, notice, node, final}
const chosen = () => [...form.querySelectorAll('[name=hazard]:checked')].map(box => box.value);
const when = iso => { const local = new Date(iso); return moment(local, new Date(local.getTime() + 864e5)); };

function count() {
  if (!bulk) return;
  const n = chosen().length;
  document.querySelector('[data-chosen]').textContent = n ? say('%(n)s chosen', { n }) : t('Choose the cases first.');
  document.querySelector('[data-try]').disabled = !n;
}

function draw() {
  bulk.querySelector('[data-rows]').replaceChildren(...rows.map(row => {
    const words = row.said ?? verdicts[row.verdict === 'refused' ? row.reason : row.verdict] ?? row.reason;
    const bad = row.verdict === 'refused' || row.wrong;
    row.node = el('tr', { 'data-verdict': row.verdict, 'data-hazard': row.hazard, class: row.verdict === 'refused' ? 'is-refused' : '' }, el('td', { class: 'nowrap' }, row.number), el('td', { class: 'where' }, el('div', { class: 'cut', title: row.department }, row.department)),
      el('td', { class: 'number' }, row.over || '–'), el('td', { class: 'number' }, row.reply_due_at ? when(row.reply_due_at) : '–'), el('td', { class: bad ? 'late' : row.verdict === 'submit' ? 'strong' : '' }, words),
      el('td', { class: 'nowrap' }, row.final ? el('a', { class: 'link', href: `${API}${row.final.id}/document.pdf`, target: '_blank', rel: 'noopener' }, row.final.number ?? t('draft')) : '–'));
    return row.node;
  }));
  const issue = rows.filter(row => row.verdict === 'issue').length, submit = rows.filter(row => row.verdict === 'submit').length;
  bulk.querySelector('[data-sum]').textContent = say('%(issue)s can be signed, %(submit)s go to a second signature, %(refused)s are not signed', { issue, submit, refused: rows.length - issue - submit });
}

async function trial() {
  const answer = await ask('trial/', { hazards: chosen() });
  bulk.hidden = false;
  if (answer.status !== 200) { rows = []; draw(); bulk.querySelector('[data-sum]').textContent = failed(answer); return; }
  rows = answer.body.rows;
  draw();
  bulk.querySelector('[data-prepare]').hidden = !rows.some(row => row.verdict !== 'refused');
  bulk.querySelector('[data-sign]').hidden = true;
  bulk.scrollIntoView({ block: 'nearest' });
  bulk.focus();
}

const progress = (done, all) => { bulk.querySelector('[data-sum]').textContent = say('%(done)s of %(all)s', { done, all }); };

// A notice where there is none, then its number and final paper.
async function prepare() {
  const able = rows.filter(one => one.verdict !== 'refused');
  for (const [n, row] of able.entries()) {
    progress(n, able.length);
    if (!row.notice) {
      row.draftId ??= newId();
      const made = await ask('', { id: row.draftId, hazard: row.hazard });
      if (made.status > 201 || !made.status) { Object.assign(row, { wrong: true, said: failed(made) }); draw(); continue; }
      row.notice = made.body.id;
      row.final = made.body;
    }
    const made = row.verdict === 'issue' ? await ask(`${row.notice}/prepare/`, {}) : await ask(`${row.notice}/`);
    if (made.status !== 200) Object.assign(row, { wrong: true, said: failed(made) });
    else row.final = made.body;
    draw();
  }
  const ready = rows.filter(row => row.final && !row.wrong);
  const sign = bulk.querySelector('[data-sign]');
  sign.hidden = !ready.length;
  sign.textContent = say('Sign %(issue)s, send %(submit)s to a second signature', { issue: ready.filter(row => row.verdict === 'issue').length, submit: ready.filter(row => row.verdict === 'submit').length });
  bulk.querySelector('[data-prepare]').hidden = true;
  if (ready.length) openRow((ready.find(row => row.hazard === open) ?? ready[0]).hazard);
  sign.focus();
}

async function sign() {
  const ready = rows.filter(one => one.final && !one.wrong && !one.done);
  for (const row of ready) {
    row.stepId ??= newId();
    const body = { id: row.stepId, version: row.final.version, ...(row.verdict === 'issue' ? { sha256: row.final.document.sha256 } : {}) };
    const answer = await ask(`${row.notice}/${row.verdict === 'issue' ? 'issue' : 'submit'}/`, body);
    if (answer.status === 200) Object.assign(row, { done: true, said: row.verdict === 'issue' ? t('issued') : t('sent to a second signature') });
    else Object.assign(row, { wrong: answer.status !== 0, said: failed(answer) });
    draw();
  }
  const left = rows.some(row => row.final && !row.wrong && !row.done);
  bulk.querySelector('[data-sign]').hidden = !left;
  bulk.dataset.done = String(!left);
  bulk.querySelector('[data-cancel]').textContent = t('Close');
  await renewRows();
  if (open) openRow(open);
}

// What the list says of each case's notice, as a fresh page would; no row moves.
async function renewRows() {
  const text = await fetch(location.href, { credentials: 'same-origin' }).then(answer => (answer.ok ? answer.text() : '')).catch(() => '');
  const fresh = new DOMParser().parseFromString(text, 'text/html');
  for (const row of rowsOf()) {
    const now = fresh.querySelector(`tr[data-row="${row.dataset.row}"]`);
    if (now) row.lastElementChild.replaceWith(now.lastElementChild);
  }
}

// What has a number and was not signed goes back to the drafts; its number says why it is void.
async function cancel() {
  for (const row of rows.filter(one => one.final?.number && !one.done)) await ask(`${row.notice}/put_back/`, { reason: t('signing several was cancelled') });
  location.reload();
}

async function draftOne(hazard, button) {
  const made = await ask('', { id: (button.dataset.step ??= newId()), hazard });
  if (made.status === 200 || made.status === 201) openRow(hazard);
  else button.before(el('span', { class: 'late', role: 'alert' }, failed(made)));
}

function tryOnly(hazard) {
  for (const box of form.querySelectorAll('[name=hazard]')) box.checked = box.value === hazard;
  count();
  return trial();
}

async function once(button, act) {
  if (button.disabled) return;
  button.disabled = true;
  try { await act(); } finally { button.disabled = false; }
}

// -- keys ---------------------------------------------------------------------------------------------

const help = document.getElementById('keys-help');
letterSwitch(help.querySelector('[data-keys-on]'));
document.querySelector('[data-keys]').addEventListener('click', () => help.showModal());

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open || event.target.closest('input:not([type=checkbox]), textarea, select')) return;
  const row = document.activeElement.closest('tr[data-row]');
  if (event.key === 'Enter' && event.target === row) { toggle(row.dataset.row); return; }
  if (event.key === '?') { help.showModal(); return; }
  if (!lettersAct()) return;
  const box = row?.querySelector('[name=hazard]');
  if (event.key === 'j' || event.key === 'k') walk(event.key === 'j' ? 1 : -1);
  else if (event.key === 'x' && box) { box.checked = !box.checked; count(); }
  else if (event.key === 't' && bulk) once(document.querySelector('[data-try]'), trial);
});

form?.addEventListener('click', event => {
  const row = event.target.closest('tr[data-row]');
  if (row && !event.target.closest('a, button, input, label') && !String(getSelection())) { select(row); toggle(row.dataset.row); }
});
form?.addEventListener('change', ({ target }) => {
  if (target.matches('[data-all]')) for (const box of form.querySelectorAll('[name=hazard]')) box.checked = target.checked;
  count();
});
form?.addEventListener('submit', event => event.preventDefault());
aside.addEventListener('click', ({ target }) => {
  const only = target.closest('[data-only]'), draft = target.closest('[data-draft]');
  if (only) once(only, () => tryOnly(only.dataset.only));
  if (draft) once(draft, () => draftOne(draft.dataset.draft, draft));
});
if (bulk) {
  for (const [name, act] of [['prepare', prepare], ['sign', sign], ['cancel', cancel]]) {
    const button = bulk.querySelector(`[data-${name}]`);
    button.addEventListener('click', () => once(button, act));
  }
  const button = document.querySelector('[data-try]');
  button?.addEventListener('click', () => once(button, trial));
  bulk.querySelector('[data-rows]').addEventListener('click', event => {
    const row = event.target.closest('tr[data-hazard]');
    if (row && !event.target.closest('a')) openRow(row.dataset.hazard);
  });
  if (form) count();
}
const asked = new URL(location.href).searchParams.get('case');
if (asked) openRow(asked);
