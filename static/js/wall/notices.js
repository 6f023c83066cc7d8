// The reader's own notices: how many are unread, once a minute, and the newest ones in a window over the wall.
import { age, el, moment, number, t } from '../words.js';
import { read } from './feed.js';

const NEWEST = 8, ASK_MS = [45000, 75000];

export function listenToNotices({ api, clock }) {
  const link = document.getElementById('notices');
  if (!link) return { open() {} };
  const box = document.getElementById('notices-box'), rows = box.querySelector('ol'), count = link.querySelector('b');

  async function ask() {
    const answer = await read(`${api}count/?unread=true`).catch(() => null); // the strip says that there is no connection
    if (answer) write(answer.count);
    setTimeout(ask, ASK_MS[0] + Math.random() * (ASK_MS[1] - ASK_MS[0]));
  }

  function write(unread) {
    count.textContent = number(unread);
    link.classList.toggle('is-none', !unread);
  }

  function row(notice) {
    const now = clock.now(), when = Date.parse(notice.created_at);
    const words = [el('span', { class: 'cut', title: notice.title }, notice.title), el('span', { class: 'quiet' }, el('time', { datetime: notice.created_at }, moment(when, now)), ' ', age(when, now))];
    return el('li', { class: notice.read_at ? null : 'is-unread' }, notice.path ? el('a', { href: notice.path }, ...words) : el('div', {}, ...words));
  }

  async function open() {
    if (box.open) { box.close(); return; }
    box.showModal();
    try {
      const [{ results }, unread] = await Promise.all([read(`${api}?page_size=${NEWEST}`), read(`${api}count/?unread=true`)]);
      rows.replaceChildren(...results.map(row));
      if (!results.length) rows.append(el('li', { class: 'quiet' }, t('No notice yet. What concerns you is written here and in your inbox.')));
      write(unread.count);
    } catch {
      rows.replaceChildren(el('li', {}, t('The notices could not be read. Close this and try again.')));
    }
  }

  link.addEventListener('click', event => { event.preventDefault(); open(); });
  box.querySelector('button').addEventListener('click', () => box.close());
  setTimeout(ask, ASK_MS[0]);
  return { open };
}
