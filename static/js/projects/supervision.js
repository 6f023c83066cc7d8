// Several notices at once: try, see the final papers with their numbers, sign; each row tells its own end.
import { newId } from '../field/ids.js';
import { el, say, t } from '../words.js';

const form = document.querySelector('[data-trial]'), bulk = document.querySelector('[data-bulk]');
const API = '/api/v1/supervision/';
const verdicts = JSON.parse(document.getElementById('verdicts').textContent);

async function post(path, body) {
  try {
    const answer = await fetch(API + path, { method: 'POST', credentials: 'same-origin', body: JSON.stringify(body), headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'X-CSRFToken': form.elements.csrfmiddlewaretoken.value } });
    return { status: answer.status, body: await answer.json().catch(() => null) };
  } catch { return { status: 0, body: null }; }
}
const failed = ({ status, body }) => (body?.errors ?? []).map(({ detail }) => detail).join(' ') || (status ? say('refused (%(status)s)', { status }) : t('no answer came'));

let rows = []; // of the trial: {hazard, number, department, verdict, reason, notice, node, final}

function chosen() { return [...form.querySelectorAll('[name=hazard]:checked')].map(box => box.value); }

function count() {
  const n = chosen().length;
  form.querySelector('[data-chosen]').textContent = n ? say('%(n)s chosen', { n }) : t('Choose the cases first.');
  form.querySelector('[data-try]').disabled = !n;
}

function draw() {
  bulk.querySelector('[data-rows]').replaceChildren(...rows.map(row => {
    const words = row.said ?? verdicts[row.verdict === 'refused' ? row.reason : row.verdict] ?? row.reason;
    row.node = el('tr', { 'data-verdict': row.verdict, 'data-hazard': row.hazard }, el('td', {}, row.number), el('td', {}, row.department), el('td', { class: row.verdict === 'refused' || row.wrong ? 'late' : '' }, words),
      el('td', {}, row.final ? el('a', { class: 'link', href: `${API}${row.final.id}/document.pdf`, target: '_blank', rel: 'noopener' }, row.final.number ?? t('draft')) : '–'));
    return row.node;
  }));
  const issue = rows.filter(row => row.verdict === 'issue').length, submit = rows.filter(row => row.verdict === 'submit').length;
  bulk.querySelector('[data-sum]').textContent = say('%(issue)s can be signed, %(submit)s go to a second signature, %(refused)s are not signed', { issue, submit, refused: rows.length - issue - submit });
}

async function trial() {
  const answer = await post('trial/', { hazards: chosen() });
  bulk.hidden = false;
  if (answer.status !== 200) { rows = []; draw(); bulk.querySelector('[data-sum]').textContent = failed(answer); return; }
  rows = answer.body.rows;
  draw();
  bulk.querySelector('[data-prepare]').hidden = !rows.some(row => row.verdict !== 'refused');
  bulk.querySelector('[data-sign]').hidden = true;
  bulk.focus();
}

// A notice where there is none, then its number and final paper.
async function prepare() {
  for (const row of rows.filter(one => one.verdict !== 'refused')) {
    if (!row.notice) {
      row.draftId ??= newId();
      const made = await post('', { id: row.draftId, hazard: row.hazard });
      if (made.status > 201 || !made.status) { Object.assign(row, { wrong: true, said: failed(made) }); draw(); continue; }
      row.notice = made.body.id;
      row.final = made.body;
    }
    if (row.verdict === 'issue') {
      const made = await post(`${row.notice}/prepare/`, {});
      if (made.status !== 200) { Object.assign(row, { wrong: true, said: failed(made) }); draw(); continue; }
      row.final = made.body;
    } else {
      const seen = await fetch(`${API}${row.notice}/`, { credentials: 'same-origin', headers: { Accept: 'application/json' } }).then(answer => answer.json()).catch(() => null);
      row.final = seen;
    }
    draw();
  }
  const ready = rows.filter(row => row.final && !row.wrong);
  const sign = bulk.querySelector('[data-sign]');
  sign.hidden = !ready.length;
  sign.textContent = say('Sign %(issue)s, send %(submit)s to a second signature', { issue: ready.filter(row => row.verdict === 'issue').length, submit: ready.filter(row => row.verdict === 'submit').length });
  bulk.querySelector('[data-prepare]').hidden = true;
  sign.focus();
}

async function sign() {
  for (const row of rows.filter(one => one.final && !one.wrong && !one.done)) {
    row.stepId ??= newId();
    const body = { id: row.stepId, version: row.final.version, ...(row.verdict === 'issue' ? { sha256: row.final.document.sha256 } : {}) };
    const answer = await post(`${row.notice}/${row.verdict === 'issue' ? 'issue' : 'submit'}/`, body);
    if (answer.status === 200) Object.assign(row, { done: true, said: row.verdict === 'issue' ? say('issued: %(number)s', { number: answer.body.number }) : t('sent to a second signature') });
    else Object.assign(row, { wrong: answer.status !== 0, said: failed(answer) });
    draw();
  }
  const left = rows.some(row => row.final && !row.wrong && !row.done);
  const button = bulk.querySelector('[data-sign]');
  button.hidden = !left;
  bulk.dataset.done = String(!left);
  bulk.querySelector('[data-cancel]').textContent = t('Close');
}

// What has a number and was not signed goes back to the drafts; its number says why it is void.
async function cancel() {
  for (const row of rows.filter(one => one.final?.number && !one.done)) await post(`${row.notice}/put_back/`, { reason: t('signing several was cancelled') });
  location.reload();
}

function once(button, act) {
  button.addEventListener('click', async () => {
    if (button.disabled) return;
    button.disabled = true;
    try { await act(); } finally { button.disabled = false; }
  });
}

if (form) {
  form.addEventListener('change', ({ target }) => {
    if (target.matches('[data-all]')) for (const box of form.querySelectorAll('[name=hazard]')) box.checked = target.checked;
    count();
  });
  form.addEventListener('submit', event => { event.preventDefault(); trial(); });
  once(bulk.querySelector('[data-prepare]'), prepare);
  once(bulk.querySelector('[data-sign]'), sign);
  once(bulk.querySelector('[data-cancel]'), cancel);
  count();
}
