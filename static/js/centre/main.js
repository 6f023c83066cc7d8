// The console: one queue, one map, one case. The queue is read anew after news; what is written goes through the API.
import { connect } from '../live.js';
import { NoMap, createMap } from '../map.js';
import { clock as clockWords, date, el, number, say, t } from '../words.js';
import { read } from '../wall/feed.js';
import { ServerClock } from '../wall/server-clock.js';
import { Truth } from '../wall/truth.js';
import { Bulk } from './bulk.js';
import { OpenCase } from './case.js';
import { listenToKeys } from './keys.js';
import { Presence } from './presence.js';
import { Rows } from './rows.js';
import { Search } from './search.js';

const json = id => JSON.parse(document.getElementById(id).textContent);
const config = json('config');
let look = json('look');
let filter = look.filter, position = look.position, wanted = 200, map = null, cells = {};
let timer = null, askedAt = 0, asking = 0;
const NEWS_MS = [150, 500], LEAST_PAUSE_MS = 1000, STALE_WORDS_MS = 60_000;
const layers = { cases: true, burden: true };
const said = words => { document.getElementById('said').textContent = words; };

const clock = new ServerClock();
clock.learn(look.at);
const truth = new Truth(clock, look.as_of, () => refresh());
const rows = new Rows({
  open: item => openCase(item.kind, item.id),
  onMark: drawMarked,
  onShown: drawMap,
});
const presence = new Presence({ config, onChange: people => { rows.showPeople(people); opened.showPeople(people); } });
const opened = new OpenCase({
  config, said,
  onAsk: (kind, id) => presence.at(kind, id), // others see it while it is still being fetched
  onOpen(kind, id, place) {
    rows.current(id);
    address();
    map?.setPoint(place.lon, place.lat);
    map?.reveal(place.lon, place.lat);
  },
  onClose() { presence.at('', null); rows.current(null); address(); map?.clearPoint(); },
  onStep: () => refresh(), // the row of the case stays where it is while the focus is in the list: the next key is for the same case
});
const bulk = new Bulk({ config, said, clock, onGone: () => { rows.unmarkAll(); refresh(); } });

// -- the queue ------------------------------------------------------------------------------------------------------
function query(more = {}) {
  const asked = new URLSearchParams({ filter, area: config.area, ...(config.matter ? { matter: config.matter } : {}), ...more });
  return `${config.queue}?${asked}`;
}

// After news at most once a second, and each minute, since the words of due times grow old.
function soon() {
  if (timer) return;
  const pause = Math.max(NEWS_MS[0] + Math.random() * NEWS_MS[1], askedAt + LEAST_PAUSE_MS - performance.now());
  timer = setTimeout(() => refresh({ news: true }), pause);
}

// ``news``: a look that others have asked for will do, if it holds what was heard; after our own deeds only a fresh one.
async function refresh({ release = false, news = false } = {}) {
  clearTimeout(timer);
  timer = null;
  askedAt = performance.now();
  const mine = ++asking;
  const wait = setTimeout(() => document.getElementById('queue').setAttribute('aria-busy', 'true'), 300);
  try {
    const fresh = await read(query({ page_size: wanted, ...(news ? { at_least: position } : {}) }));
    if (mine !== asking) return; // a later question is on its way
    look = fresh;
    truth.lookFailed(null);
    truth.confirm(fresh.as_of);
    take(release);
    if (fresh.position < position) soon();
  } catch (error) {
    if (mine === asking) truth.lookFailed(error);
  } finally {
    clearTimeout(wait);
    document.getElementById('queue').removeAttribute('aria-busy');
  }
}

function take(release) {
  position = Math.max(position, look.position);
  for (const chip of document.querySelectorAll('[data-filter]')) {
    chip.querySelector('[data-figure]').textContent = number(look.counts[chip.dataset.filter]);
    if (chip.dataset.filter === filter) chip.setAttribute('aria-current', 'true'); else chip.removeAttribute('aria-current');
  }
  document.getElementById('more-rows').hidden = !look.next;
  const all = look.counts[filter];
  document.getElementById('shown').textContent = look.next ? say('%(n)s of %(all)s shown: late, then major, then oldest', { n: number(look.results.length), all: number(all) }) : t('Late first, then major, then the oldest');
  rows.show(look.results, filter, release);
  rows.showPeople(presence.people);
}

function choose(key) {
  filter = key;
  wanted = 200;
  rows.unmarkAll();
  address(true);
  refresh({ release: true });
}

// The address holds what is shown; pasted elsewhere it shows the same.
function address(isNewPage = false) {
  const url = new URL(config.page, location.origin);
  if (filter !== 'all') url.searchParams.set('filter', filter);
  if (config.area !== config.home) url.searchParams.set('area', config.area);
  if (config.matter) url.searchParams.set('matter', config.matter);
  if (opened.key) url.searchParams.set('case', opened.key);
  const path = url.pathname + url.search.replaceAll('%3A', ':');
  if (path === location.pathname + location.search) return;
  history[isNewPage ? 'pushState' : 'replaceState']({}, '', path);
}

addEventListener('popstate', () => {
  const asked = new URLSearchParams(location.search);
  if ((asked.get('area') ?? config.home) !== config.area || (asked.get('matter') ?? '') !== config.matter) { location.reload(); return; }
  filter = config.filters.includes(asked.get('filter')) ? asked.get('filter') : 'all';
  refresh({ release: true });
});

for (const chip of document.querySelectorAll('[data-filter]')) {
  chip.addEventListener('click', event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in a window of its own
    event.preventDefault();
    choose(chip.dataset.filter);
  });
}
for (const away of document.querySelectorAll('[data-away]')) {
  const url = new URL(away.href);
  if (filter !== 'all') url.searchParams.set('filter', filter);
  away.href = url.pathname + url.search;
}
document.getElementById('more-rows').addEventListener('click', () => { wanted = Math.min(1000, wanted + 200); refresh({ release: true }); });

function go(params) {
  const url = new URL(config.page, location.origin);
  for (const [name, value] of Object.entries({ filter: filter === 'all' ? '' : filter, area: config.area === config.home ? '' : config.area, matter: config.matter, ...params })) if (value) url.searchParams.set(name, value);
  location.assign(url);
}

// -- cases ----------------------------------------------------------------------------------------------------------
function openCase(kind, id) { return opened.open(kind, id); }

function drawMarked(marked) {
  const button = document.getElementById('marked');
  button.hidden = !marked.length;
  button.textContent = say('Dispatch %(n)s marked', { n: number(marked.length) });
}
document.getElementById('marked').addEventListener('click', () => bulk.ask(rows.marked));
document.addEventListener('click', event => {
  const link = event.target.closest('[data-open]');
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const [kind, id] = link.dataset.open.split(':');
  openCase(kind, id);
});

// -- map ------------------------------------------------------------------------------------------------------------
function drawMap(items) {
  map?.setHazards(layers.cases ? items.filter(item => item.kind === 'hazard') : []);
}

async function makeMap() {
  const box = document.getElementById('map');
  document.getElementById('credit').textContent = [...config.map.credits, config.map.note].filter(Boolean).join(' · ');
  try {
    map = await createMap(box, {
      version: config.map.version, bounds: config.map.bounds, burden: true, area: config.area, scale: .8, title: t('Cases on the map; all of them stand in the list'),
      padding: 40, ring: true, townshipsFrom: config.area.length > 4 ? 8 : 10.2, zoomButtons: true,
      onHazard: id => { rows.focus(id); openCase('hazard', id); },
    });
    box.querySelector('.loading')?.remove();
    drawMap(rows.items);
    map.setBurden(cells);
    if (config.area.length === 15) map.markCells([config.area]);
    if (opened.place) { map.setPoint(opened.place.lon, opened.place.lat); map.ready.then(() => map.reveal(opened.place.lon, opened.place.lat)); }
  } catch (error) {
    box.replaceChildren(el('p', { class: 'map-missing' }, error instanceof NoMap ? error.message : t('The map could not be loaded.'), ' ', t('The list shows the same.')));
    if (!(error instanceof NoMap)) throw error;
  }
}

async function weigh() {
  try {
    cells = (await read(`/api/v1/cells/state/?area=${config.area}`)).cells;
    map?.setBurden(layers.burden ? cells : {});
  } catch { /* the next news asks again; the cases themselves are there */ }
}

for (const chip of document.querySelectorAll('[data-layer]')) {
  chip.addEventListener('click', () => {
    const on = chip.getAttribute('aria-pressed') !== 'true';
    chip.setAttribute('aria-pressed', String(on));
    layers[chip.dataset.layer] = on;
    if (chip.dataset.layer === 'cases') drawMap(rows.items); else map?.setBurden(on ? cells : {});
  });
}

// -- news -----------------------------------------------------------------------------------------------------------
let weighing = null;
function onFacts(items, at) {
  position = Math.max(position, at);
  const ours = items.filter(item => item.kind === 'hazard' || item.kind === 'supervision');
  if (!ours.length && !items.some(item => item.topic === 'day.began')) return;
  soon();
  opened.hear(ours);
  weighing ??= setTimeout(() => { weighing = null; weigh(); }, 5000 + Math.random() * 5000);
}

const line = connect({
  area: config.home, after: position, presence: presence.page, onFacts,
  onPresence: frame => presence.hear(frame),
  onHeartbeat(frame) {
    clock.learn(frame.at);
    truth.relay(frame.relay);
    truth.idle(frame.idle_since);
    if (frame.relay !== 'silent') truth.confirm(frame.at);
    document.getElementById('newer').hidden = frame.version === config.version; // whoever works here chooses the moment
  },
  onTally: frame => truth.confirm(frame.as_of),
  onReset(at) { position = at; refresh(); },
  onState(state) { truth.connection(state); if (state.name === 'live') presence.renew(); },
});

function tick() {
  const now = clock.now();
  document.getElementById('clock').textContent = clockWords(now);
  document.getElementById('date').textContent = date(now);
  setTimeout(tick, 1000 - now % 1000);
}

// -- begin ----------------------------------------------------------------------------------------------------------
new Search({ config, onCase: item => openCase(item.kind, item.id).then(() => opened.focus()), onPlace: place => go(place.kind === 'matter' ? { matter: place.code } : { area: place.area }), focusList: () => rows.focus() });
listenToKeys({
  rows, opened, bulk,
  choose: n => { if (config.filters[n]) choose(config.filters[n]); },
  dispatch() { if (rows.marked.length) bulk.ask(rows.marked); else act('D'); },
  act,
});

// A key of a step acts on the open case; where another row has the focus, that one is opened first, and nothing is done.
async function act(key) {
  const item = rows.focused;
  if (item && item.id !== opened.id) { await openCase(item.kind, item.id); said(t('Opened. Press the key again to do it.')); return; }
  if (!opened.act(key)) said(t('There is no such step for you now.'));
}

document.querySelector('#newer button').addEventListener('click', () => location.reload());
take(true);
tick();
makeMap();
weigh();
bulk.recover();
setInterval(() => refresh(), STALE_WORDS_MS);
const [kind, id] = config.case.split(':');
if (kind === 'hazard' || kind === 'supervision') openCase(kind, id);
let hiddenAt = 0;
document.addEventListener('visibilitychange', () => {
  if (document.hidden) hiddenAt = Date.now();
  else if (Date.now() - hiddenAt > 10_000) { line.renew(); refresh(); }
});
