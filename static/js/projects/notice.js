// One overdue notice: have its final paper made, leave it unsigned, change the words of a draft.
import { el, t } from '../words.js';

const { api, version } = document.querySelector('.case').dataset;

async function post(path, body, csrf) {
  try {
    const answer = await fetch(api + path, { method: 'POST', credentials: 'same-origin', body: JSON.stringify(body), headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'X-CSRFToken': csrf } });
    return { status: answer.status, body: await answer.json().catch(() => null) };
  } catch { return { status: 0, body: null }; }
}

const said = ({ status, body }) => (body?.errors ?? []).map(({ detail }) => detail).join(' ') || (status ? `${t('The server refused it.')} (${status})` : t('No answer came. Try again.'));

function listen(selector, path, fields) {
  const form = document.querySelector(`[${selector}]`);
  form?.addEventListener('submit', async event => {
    event.preventDefault();
    const button = form.querySelector('button'), progress = form.querySelector('[data-progress]');
    if (button.disabled) return;
    button.disabled = true;
    progress.textContent = t('Working …');
    const answer = await post(path, fields(form), form.elements.csrfmiddlewaretoken.value);
    if (answer.status === 200) { location.reload(); return; }
    button.disabled = false;
    progress.textContent = said(answer);
  });
}

listen('data-prepare', 'prepare/', () => ({}));
listen('data-put-back', 'put_back/', form => ({ reason: form.elements.reason.value }));
listen('data-draft-words', 'words/', ({ elements: { title, body, addressee, copies } }) => ({ version: Number(version), title: title.value, body: body.value, addressee: addressee.value, copies: copies.value }));

// The paper, page by page: the answer says how many there are.
const paper = document.querySelector('[data-paper]');
async function show(n) {
  const answer = await fetch(`${api}pages/${n}.png`, { credentials: 'same-origin' }).catch(() => null);
  if (!answer?.ok) {
    paper.replaceChildren(el('p', { role: 'alert' }, t('The paper cannot be shown. The PDF says why.')));
    return;
  }
  const page = el('img', { class: 'sheet', alt: n === 1 ? paper.dataset.paper : '', 'data-page': n });
  page.src = URL.createObjectURL(await answer.blob());
  if (n === 1) paper.replaceChildren(page); else paper.append(page);
  if (n < Number(answer.headers.get('X-Pages'))) show(n + 1);
}
if (paper) show(1);
