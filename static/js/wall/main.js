// The wall: one state, drawn anew from a fresh look, kept by the news. After any gap both ways lead to the same page.
import { connect } from '../live.js';
import { NoMap, createMap } from '../map.js';
import { date, clock as clockWords, el, number, say, t } from '../words.js';
import { Feed } from './feed.js';
import { Figures } from './figures.js';
import { Lists } from './lists.js';
import { ServerClock } from './server-clock.js';
import { drawKinds, drawParts } from './tables.js';
import { drawTrend } from './trend.js';
import { Truth, settle, trouble } from './truth.js';
import { listenToKeys, renew, standWatch, watchdog } from './view.js';

const json = id => JSON.parse(document.getElementById(id).textContent);
const config = json('config');
let look = json('look');
let position = look.position;
let heardAt = 0;
let map = null, cells = {}, cellsAt = 0;

const clock = new ServerClock();
clock.learn(look.at);
const figures = new Figures(config.opens_lists);
const truth = new Truth(clock, look.at, () => reload());
const lists = new Lists({ config, clock, onChange: items => map?.setHazards(items) });
const feed = new Feed(config, {
  look: fresh => { takeTables(fresh); settle('trend'); },
  burden: state => { takeBurden(state); settle('where'); },
  items: rows => { lists.learn(rows); settle('live'); },
  trouble: (id, error) => trouble(id, error, () => feed.tables()),
});

function takeLook(fresh) {
  look = fresh;
  position = Math.max(position, fresh.position);
  clock.learn(fresh.at);
  truth.confirm(fresh.at);
  figures.take(fresh.figures);
  lists.take(fresh);
  drawTables();
}

// A look that is older than the news already shown brings its tables only, and is asked for again.
function takeTables(fresh) {
  renewal(fresh.version);
  if (fresh.position >= position) { takeLook(fresh); return; }
  look = { ...look, days: fresh.days, categories: fresh.categories, parts: fresh.parts };
  drawTables();
  feed.changed(position);
}

function takeBurden(state) {
  cells = Object.fromEntries(Object.entries(state.cells).map(([code, pair]) => [code, [...pair]]));
  cellsAt = state.position;
  map?.setBurden(cells);
  if (cellsAt < position) feed.changed(position);
}

function drawTables() {
  drawTrend(document.getElementById('chart'), look.days, figures);
  drawKinds(document.getElementById('kinds'), look.categories, figures, config.area);
  const parts = document.getElementById('parts');
  if (parts) parts.dataset.room = document.documentElement.dataset.tiles === '1x1' ? 10 : 14;
  drawParts(parts, look.parts, figures, { whole: figures.value('hazards.open'), wall: config.wall });
}

async function reload() {
  try {
    takeLook(await feed.look());
    truth.lookFailed(null);
    takeBurden(await feed.burden());
  } catch (error) {
    truth.lookFailed(error);
  }
  return position;
}

// What weighs on the cells, from the news itself; the next reading puts right what the news does not tell.
const OPENS = new Set(['hazard.reported', 'hazard.reopen', 'hazard.contest']), CLOSES = new Set(['hazard.write_off', 'hazard.refuse']);
function weigh(facts) {
  for (const fact of facts) {
    if (fact.position <= cellsAt || fact.area.length !== 15) continue;
    const cell = cells[fact.area] ??= [0, 0];
    if (OPENS.has(fact.topic)) cell[0] += 1;
    if (CLOSES.has(fact.topic)) cell[0] = Math.max(0, cell[0] - 1);
    if (fact.topic === 'hazard.mark_overdue') cell[1] += 1;
  }
  map?.setBurden(cells);
}

function onFacts(items, at) {
  position = Math.max(position, at ?? items.at(-1)?.position ?? position);
  if (items.length) heardAt = performance.now();
  const hazards = items.filter(item => item.kind === 'hazard');
  if (hazards.length) {
    feed.want(lists.hear(hazards));
    weigh(hazards);
  }
  if (items.some(item => item.topic === 'day.began')) reload();
  else if (items.length) feed.changed(position);
}

function onTally(frame) {
  if (frame.area !== config.area) return;
  figures.update(frame.figures);
  if (frame.as_of) truth.confirm(frame.as_of);
}

function onHeartbeat(frame) {
  clock.learn(frame.at);
  truth.relay(frame.relay);
  if (frame.relay === 'ok') truth.confirm(frame.at);
}

// -- map ------------------------------------------------------------------------------------------
const tip = document.getElementById('tip');

async function drawMap() {
  const box = document.getElementById('map'), rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  document.getElementById('credit').textContent = [...config.map.credits, config.map.note].filter(Boolean).join(' · ');
  try {
    map = await createMap(box, {
      version: config.map.version, bounds: config.map.bounds, burden: true, scale: rem / 16, title: t('Open hazards by cell'),
      padding: { top: 4 * rem, bottom: 4.2 * rem, left: 1.5 * rem, right: 2.5 * rem },
      townshipsFrom: config.area.length > 4 ? 8 : 10.2,
      onCell: openCell, onHover: pointAt, onHazard: config.opens_lists ? id => location.assign(`${config.hazards}${id}/`) : null,
    });
    box.querySelector('.loading')?.remove();
    map.setHazards(lists.onMap);
    map.setBurden(cells);
  } catch (error) {
    box.replaceChildren(el('p', { class: 'map-missing' }, error instanceof NoMap ? error.message : t('The map could not be loaded.'), ' ', t('The lists show the same.')));
    if (!(error instanceof NoMap)) throw error;
  }
}

// City → county → township → cell → hazard: each click one level down.
const LEVELS = [4, 6, 9, 12, 15];
const names = code => look.parts.find(part => part.code === code)?.name ?? look.towns[code] ?? look.cells[code] ?? code;
const below = code => code.slice(0, config.area.length < 9 ? LEVELS[LEVELS.indexOf(config.area.length) + 1] : 15);

function openCell(code, dedicated) {
  if (!code.startsWith(config.area)) return;
  if (config.area.length < 9) { location.assign(`${config.wall}?area=${below(code)}`); return; }
  hold(dedicated ?? code);
}

function pointAt(code, point) {
  if (tip.classList.contains('is-held')) return;
  tip.hidden = !code || !code.startsWith(config.area);
  if (tip.hidden) return;
  tip.textContent = names(below(code));
  tip.style.left = `${point.x + 18}px`;
  tip.style.top = `${point.y + 18}px`;
}

function hold(code) {
  const [open = 0, overdue = 0] = cells[code] ?? [];
  const href = figures.page('hazards.open', { area: code });
  tip.classList.add('is-held');
  tip.hidden = false;
  tip.replaceChildren(names(code), el('span', { class: 'quiet' }, say('open %(open)s, overdue %(overdue)s', { open: number(open), overdue: number(overdue) })), ' ', href ? el('a', { href }, t('Open the list')) : '');
  map.markCells([code]);
}

function up() {
  if (tip.classList.contains('is-held')) { tip.classList.remove('is-held'); tip.hidden = true; map.markCells([]); return; }
  const links = document.querySelectorAll('#trail a');
  if (links.length) links[links.length - 1].click();
}

// -- begin ----------------------------------------------------------------------------------------
function tick() {
  const now = clock.now();
  document.getElementById('clock').textContent = clockWords(now);
  document.getElementById('date').textContent = date(now);
  setTimeout(tick, 1000 - now % 1000);
}

figures.take(look.figures);
lists.take(look);
drawTables();
tick();
new ResizeObserver(() => drawTables()).observe(document.getElementById('chart'));
document.documentElement.addEventListener('themechange', () => drawTables());
const renewal = renew({ version: config.version, ask: async () => (await feed.look(position)).version, lastNews: () => heardAt });
listenToKeys({ up });
if (config.kiosk) standWatch();
drawMap();
feed.burden().then(takeBurden, error => trouble('where', error, () => feed.tables()));

const line = connect({
  area: config.area,
  after: position,
  onFacts: (items, at) => onFacts(items, at),
  onTally,
  onHeartbeat,
  onState: state => truth.connection(state),
  onReset: () => reload(),
});
watchdog({ slept: () => { clock.forget(); line?.check?.(); } });
