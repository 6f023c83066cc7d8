// The page of one hazard, or of one overdue notice: its steps, and what happens to it while the page is open.
import { el, say, t } from '../words.js';
import { Case, reload } from './step-form.js';

const page = document.querySelector('.case');
const said = document.querySelector('[data-said]');
const TOLD = `told:${page.dataset.reader}:${page.dataset.hazard}`;

const open = new Case(page, {
  states: JSON.parse(document.getElementById('states').textContent),
  beside: document.querySelector('.case-side'),
  reload: () => location.reload(),
  done(now, label) {
    try { sessionStorage.setItem(TOLD, label); } catch { /* the page itself shows the new state */ }
    page.dataset.version = now.version;
    location.reload();
  },
});

function tell(...children) {
  said.replaceChildren(...children);
  said.hidden = false;
  delete said.dataset.offline;
}

// A tab that was away: say so before something is written into an old picture.
async function look() {
  if (document.hidden || Number(page.dataset.version) !== open.version) return;
  const { status, body } = await open.ask('GET', '');
  if (status === 200 && body.version !== open.version) tell(el('p', {}, `${t('This case changed since you opened it.')} ${open.change(body)}`), reload());
  else if (status === 401) tell(el('p', {}, t('Your session has ended. Sign in again; what you wrote is kept in this browser.')), el('a', { class: 'button is-small', href: `/login/?next=${encodeURIComponent(location.pathname)}` }, t('Sign in')));
  else if (status === 404) tell(el('p', {}, t('This case is not visible to you any more.')));
}

said.addEventListener('click', event => { if (event.target.closest('[data-reload]')) location.reload(); });
document.addEventListener('visibilitychange', look);
addEventListener('online', () => { if ('offline' in said.dataset) said.hidden = true; look(); });
addEventListener('offline', () => { tell(el('p', {}, t('This device is offline. What you write is kept in this browser.'))); said.dataset.offline = ''; });

try {
  const done = sessionStorage.getItem(TOLD);
  if (done) {
    sessionStorage.removeItem(TOLD);
    tell(el('p', {}, say('Done: %(step)s. The case now stands at: %(state)s.', { step: done, state: open.word(page.dataset.state) })));
    said.focus();
  }
} catch { /* no storage: the state of the page says it */ }
