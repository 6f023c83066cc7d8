// Tick rows of the list by keyboard or mouse: Space ticks the row with the focus, Shift with Space, an arrow or a click
// ticks all from the last one to here. Without this module the checkboxes do.
import { number, say } from '../words.js';

const boxes = () => [...document.querySelectorAll('#list input[name="hazard"]')];
const all = () => document.querySelector('#bulk input[name="all"]');
let last = null; // the id of the case that was ticked last: rows come anew with other filters

function told() {
  const said = document.querySelector('[data-ticked]');
  if (!said) return;
  const ticked = boxes().filter(box => box.checked).length, rows = boxes().length, head = document.querySelector('[data-tick-all]');
  said.textContent = all().checked ? '' : say('%(n)s ticked', { n: number(ticked) }); // the box beside says how many all are
  head.hidden = false;
  head.checked = ticked === rows;
  head.indeterminate = ticked > 0 && ticked < rows;
  for (const box of boxes()) box.closest('tr').classList.toggle('is-ticked', box.checked || all().checked);
}

function tick(box, isRange, on) {
  const rows = boxes(), from = rows.findIndex(one => one.value === last), to = rows.indexOf(box);
  const range = isRange && from >= 0 ? rows.slice(Math.min(from, to), Math.max(from, to) + 1) : [box];
  for (const one of range) one.checked = on;
  last = box.value;
  told();
}

document.addEventListener('click', event => {
  const box = event.target.closest('#list input[name="hazard"]');
  if (box) tick(box, event.shiftKey, box.checked);
});

document.addEventListener('change', event => {
  if (event.target.matches('[data-tick-all]')) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches('[data-tick-all], #bulk input[name="all"]')) told();
});

document.addEventListener('keydown', event => {
  const row = event.target.closest?.('tr[data-href]');
  if (!row || event.target !== row || event.ctrlKey || event.metaKey || event.altKey) return;
  const box = row.querySelector('input[name="hazard"]');
  if (!box) return;
  if (event.key === ' ') {
    event.preventDefault();
    tick(box, event.shiftKey, event.shiftKey || !box.checked);
  }
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    const next = event.key === 'ArrowDown' ? row.nextElementSibling : row.previousElementSibling;
    event.preventDefault();
    if (!next) return;
    if (event.shiftKey) { if (!box.checked) tick(box, false, true); tick(next.querySelector('input[name="hazard"]'), false, true); }
    row.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
});

document.addEventListener('htmx:after:swap', told);
told();
