// A paper as pictures, page by page: the answer says how many there are.
import { el, t } from '../words.js';

export async function showPaper(place, api) {
  const mine = place.dataset.drawn = String(Number(place.dataset.drawn ?? 0) + 1); // a later call takes the place over
  const pages = [];
  for (let n = 1, last = 1; n <= last; n += 1) {
    const answer = await fetch(`${api}pages/${n}.png`, { credentials: 'same-origin' }).catch(() => null);
    const bytes = answer?.ok ? await answer.blob().catch(() => null) : null;
    if (place.dataset.drawn !== mine) return;
    if (!bytes) {
      const again = el('button', { class: 'button is-small', type: 'button' }, t('Try again'));
      again.addEventListener('click', () => showPaper(place, api));
      place.replaceChildren(el('p', { role: 'alert' }, t('The paper cannot be shown. The PDF says why.'), ' ', again));
      return;
    }
    last = Number(answer.headers.get('X-Pages'));
    const page = el('img', { class: 'sheet', alt: n === 1 ? place.dataset.paper : '', 'data-page': n });
    page.src = URL.createObjectURL(bytes);
    page.addEventListener('load', () => URL.revokeObjectURL(page.src));
    pages.push(page);
    place.replaceChildren(...pages);
  }
}
