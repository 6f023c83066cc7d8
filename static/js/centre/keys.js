// Keys of one letter; the help names them all and switches them off (WCAG 2.1.4).
import { letterSwitch, lettersAct } from '../letters.js';

export function listenToKeys({ rows, opened, bulk, choose, dispatch, act }) {
  const help = document.getElementById('help');
  letterSwitch(document.getElementById('keys-on'));
  document.getElementById('help-close').addEventListener('click', () => help.close());
  document.getElementById('help-open').addEventListener('click', () => help.showModal());

  const plain = {
    j: () => rows.step(1), k: () => rows.step(-1), x: () => rows.mark(), u: () => bulk.undoAll(), d: dispatch,
    n: () => rows.release(), c: () => opened.openChain(),
    '/': () => { const search = document.getElementById('search'); search.focus(); search.select(); },
    '?': () => help.showModal(),
  };

  document.addEventListener('keydown', event => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (event.key === 'Enter' && event.target.matches('#rows li[data-id]')) {
      event.preventDefault();
      if (rows.focused?.id === opened.id) opened.focus(); else rows.openFocused();
      return;
    }
    if (event.key === ' ' && event.target.matches('#rows li[data-id]')) { event.preventDefault(); rows.mark(); return; }
    if (['ArrowDown', 'ArrowUp'].includes(event.key) && event.target.matches('#rows li[data-id]')) { event.preventDefault(); rows.step(event.key === 'ArrowDown' ? 1 : -1); return; }
    if (event.key === 'Escape') { back(); return; }
    if (!lettersAct() || event.target.closest('input, textarea, select, .maplibregl-map')) return;
    const key = event.key.toLowerCase();
    if (event.repeat && !'jk'.includes(key)) return; // a key that is held down does its step once
    if (/^[1-9]$/.test(key)) { event.preventDefault(); choose(Number(key) - 1); return; }
    if (plain[key]) { event.preventDefault(); plain[key](); return; }
    if (/^[a-z]$/.test(key)) { event.preventDefault(); act(key.toUpperCase()); } // the letter is not typed into the field that gets the focus
  });

  // One thing at a time: out of the case into the list, marks away, the case closed.
  function back() {
    if (opened.hasFocus) { rows.focus(opened.id); return; }
    if (rows.unmarkAll()) return;
    opened.close();
  }
}
