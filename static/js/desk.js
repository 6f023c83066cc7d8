// What every desk page does: a key for htmx's writes, menus that close, one-key navigation, focus on an error summary.
import { lettersAct } from './letters.js';

const sent = new Set(), ANSWERED_MS = 10_000; // forms whose answer is awaited

const cookie = name => document.cookie.split('; ').find(row => row.startsWith(`${name}=`))?.split('=')[1] ?? '';

document.addEventListener('htmx:config:request', event => {
  const request = event.detail.ctx.request;
  if (request.method && request.method.toUpperCase() !== 'GET') request.headers['X-CSRFToken'] = cookie('csrftoken');
  else if (request.body instanceof FormData) for (const [name, value] of [...request.body]) if (value === '') request.body.delete(name); // the address says only what was asked
});

document.addEventListener('click', event => {
  for (const menu of document.querySelectorAll('details.menu[open]')) if (!menu.contains(event.target)) menu.open = false;
  const row = event.target.closest('tr[data-href]');
  if (row && !event.target.closest('a, button, input, select, label') && !String(getSelection())) location.assign(row.dataset.href);
  if (event.target.closest('[data-print]')) print();
  const back = event.target.closest('[data-back]');
  if (back && history.length > 1) { event.preventDefault(); history.back(); }
});

document.addEventListener('submit', event => {
  const asked = event.target.dataset?.confirm;
  if (asked && !confirm(asked)) event.preventDefault();
  if (event.defaultPrevented || event.target.method !== 'post') return;
  if (sent.has(event.target)) event.preventDefault(); // a second click while the first one's answer is awaited
  sent.add(event.target);
  setTimeout(() => sent.delete(event.target), ANSWERED_MS);
});
addEventListener('pageshow', () => sent.clear()); // back from the page that answered

for (const control of document.querySelectorAll('[data-submit-on-change]'))
  control.addEventListener('change', () => control.form.requestSubmit());

// The list behind the filters was swapped: the queue that it shows, and no other, is the current one.
document.addEventListener('htmx:after:history:update', () => {
  for (const chip of document.querySelectorAll('.queues .chip')) {
    if (new URL(chip.href).search === location.search) chip.setAttribute('aria-current', 'true');
    else chip.removeAttribute('aria-current');
  }
  for (const chosen of document.querySelectorAll('.picker')) {
    const words = [...chosen.querySelectorAll('input:checked')].map(input => input.nextElementSibling.textContent);
    const said = chosen.querySelector('[data-all]');
    said.textContent = words.join(' · ') || said.dataset.all;
  }
});

// On a narrow screen what can be folded begins folded, unless it holds something that was asked.
for (const button of document.querySelectorAll('.fold-button')) {
  const fold = document.getElementById(button.getAttribute('aria-controls'));
  const show = open => { fold.classList.toggle('is-folded', !open); button.setAttribute('aria-expanded', String(open)); };
  show([...fold.querySelectorAll('select, input')].some(field => (field.type === 'checkbox' ? field.checked : field.value)));
  button.addEventListener('click', () => show(button.getAttribute('aria-expanded') !== 'true'));
}

const typing = target => target.closest('input, textarea, select, [contenteditable]');

document.addEventListener('keydown', event => {
  if (event.key === 'Escape') for (const menu of document.querySelectorAll('details.menu[open]')) { menu.open = false; menu.querySelector('summary').focus(); }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || 'ownKeys' in document.body.dataset) return;
  if (event.key === '/') {
    const search = document.querySelector('input[type="search"]');
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  }
  if (lettersAct() && (event.key === 'j' || event.key === 'k')) step(event.key === 'j' ? 1 : -1);
  if (event.key === 'Enter' && event.target.matches('tr[data-href]')) location.assign(event.target.dataset.href);
});

// J and K walk the rows of the page's list; Enter opens one.
function step(by) {
  const rows = [...document.querySelectorAll('tr[data-href]')];
  if (!rows.length) return;
  const now = rows.indexOf(document.activeElement.closest?.('tr[data-href]'));
  const next = rows[Math.min(rows.length - 1, Math.max(0, now < 0 ? 0 : now + by))];
  rows.forEach(row => { row.tabIndex = row === next ? 0 : -1; row.classList.toggle('is-selected', row === next); });
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
}

document.querySelector('.summary[tabindex]')?.focus();
