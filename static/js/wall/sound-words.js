// The state of the sound in words: in the strip, as a banner while the browser stops it, and its settings in the help.
import { clock as clockWords, el, say, sign, t } from '../words.js';

const SIGNS = { on: 'sound', off: 'still', muted: 'still', blocked: 'warn', missing: 'warn' };
const MOST_TOLD = 5;
const minutes = when => clockWords(when).slice(0, 5);

// ``mutesLately``: asks who has made a wall of this area silent.
export function showSound(sounds, clock, mutesLately) {
  const strip = document.getElementById('sound'), help = document.getElementById('help'), banner = document.getElementById('sound-blocked');
  const volume = document.getElementById('sound-volume'), wanted = document.getElementById('sound-wanted'), unmute = document.getElementById('sound-unmute');
  help.addEventListener('toggle', () => { if (help.open) mutesLately().then(({ results }) => tellMutes(results), () => {}); });
  strip.addEventListener('click', () => { help.showModal(); document.getElementById('sound-test').focus(); });
  banner.querySelector('button').addEventListener('click', () => sounds.allow());
  document.getElementById('sound-test').addEventListener('click', () => sounds.test());
  unmute.addEventListener('click', () => sounds.unmute());
  for (const button of document.querySelectorAll('[data-mute]')) button.addEventListener('click', () => sounds.mute(Number(button.dataset.mute)));
  volume.value = Math.round(sounds.volume * 100);
  volume.addEventListener('change', () => { sounds.volume = volume.value / 100; sounds.test(); });
  wanted?.addEventListener('change', () => { sounds.isWanted = wanted.checked; });

  return function draw() {
    const { state } = sounds, until = state === 'muted' ? clock.now() + (sounds.mutedUntil - Date.now()) : null;
    const words = {
      on: t('Sound on'), off: t('Sound off'), blocked: t('Sound blocked'), missing: t('No sound here'),
      muted: until && say('Muted until %(time)s', { time: minutes(until) }),
    }[state];
    if (strip.dataset.words !== words) {
      strip.dataset.words = words;
      strip.dataset.state = state;
      strip.replaceChildren(sign(SIGNS[state]), el('span', {}, words));
      document.getElementById('sound-state').textContent = words;
    }
    banner.hidden = state !== 'blocked';
    unmute.hidden = state !== 'muted';
    if (wanted) wanted.checked = sounds.isWanted;
    for (const row of document.querySelectorAll('.mutes')) row.hidden = state === 'off';
  };
}

function tellMutes(rows) {
  const box = document.getElementById('mutes-lately');
  box.hidden = !rows.length;
  const words = rows.slice(0, MOST_TOLD).map(row => say('%(who)s %(from)s–%(to)s', { who: row.who, from: minutes(Date.parse(row.begun_at)), to: minutes(Date.parse(row.until)) }));
  box.textContent = say('Muted in the last 24 hours (%(n)s): %(list)s', { n: rows.length, list: words.join(' · ') + (rows.length > MOST_TOLD ? ' …' : '') });
}
