// One overdue notice: have its final paper made, leave it unsigned, change the words of a draft.
import { post } from '../ask.js';
import { t } from '../words.js';
import { showPaper } from './paper.js';

const { api, version } = document.querySelector('.case').dataset;

const PAPER_MS = 60_000; // to set and print it
const said = ({ status, body }) => (body?.errors ?? []).map(({ detail }) => detail).join(' ') || (status ? `${t('The server refused it.')} (${status})` : t('No answer came. Try again.'));

function listen(selector, path, fields) {
  const form = document.querySelector(`[${selector}]`);
  form?.addEventListener('submit', async event => {
    event.preventDefault();
    const button = form.querySelector('button'), progress = form.querySelector('[data-progress]');
    if (button.disabled) return;
    button.disabled = true;
    progress.textContent = t('Working …');
    const answer = await post(api + path, fields(form), { wait: PAPER_MS });
    if (answer.status === 200) { location.reload(); return; }
    button.disabled = false;
    progress.textContent = said(answer);
  });
}

listen('data-prepare', 'prepare/', () => ({}));
listen('data-put-back', 'put_back/', form => ({ reason: form.elements.reason.value }));
listen('data-draft-words', 'words/', ({ elements: { title, body, addressee, copies } }) => ({ version: Number(version), title: title.value, body: body.value, addressee: addressee.value, copies: copies.value }));

const paper = document.querySelector('[data-paper]');
if (paper) showPaper(paper, api);
