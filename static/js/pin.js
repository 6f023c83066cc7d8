// The chooser of a place: the shared map under a pin that stays in the middle, fetched only when somebody asks for it. The
// map is dragged, tapped, or moved by keys and by the buttons of the dialog (templates/_parts/pin_moves.html).
import { say, t } from './words.js';

const NEAR = 15;
const FAR = 9;
const STEP_PX = 60;
const MOVES = { west: [-STEP_PX, 0], east: [STEP_PX, 0], north: [0, -STEP_PX], south: [0, STEP_PX] };

let drawn = null;

const find = (name, dialog) => dialog.querySelector(`[data-${name}]`);
const place = map => { const { lng, lat } = map.library.getCenter(); return { lon: Number(lng.toFixed(6)), lat: Number(lat.toFixed(6)) }; };

// Draw the map once; a browser that cannot is told so and keeps the place that it has.
async function draw(dialog, { start, middle, styles, frame, zoom, options }) {
  for (const href of styles) document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href }));
  const { createMap } = await import('./map.js');
  const first = start ?? middle, near = zoom ?? NEAR;
  // Not by bounds: a map that was, goes back to them when its box changes, as on a phone whose bars come and go.
  const far = frame ? { center: [0, 1].map(n => (frame[0][n] + frame[1][n]) / 2), zoom: FAR - 1 } : { zoom: FAR };
  const map = await createMap(find('map', dialog), {
    ...(first ? { center: [first.lon, first.lat], zoom: start ? near : near - 1 } : far), title: t('Set the pin'), ...options,
  });
  await map.ready;
  map.library.on('click', ({ lngLat }) => map.centreOn(lngLat.lng, lngLat.lat));
  for (const moment of ['moveend', 'idle']) map.library.on(moment, () => tell(dialog, map, frame)); // idle: its names are there
  return map;
}

function listen(dialog, map) {
  for (const button of dialog.querySelectorAll('[data-move]')) {
    button.onclick = () => {
      const { move } = button.dataset;
      if (move === 'in') map.library.zoomIn({ animate: false });
      else if (move === 'out') map.library.zoomOut({ animate: false });
      else map.library.panBy(MOVES[move], { animate: false });
    };
  }
}

// Say where the pin stands, where the dialog has room for it; outside the frame nothing can be taken.
function tell(dialog, map, frame) {
  const at = find('at', dialog);
  if (!at) return true;
  const { lon, lat } = place(map), [west, south, east, north] = frame.flat();
  const isInside = lon >= west && lon <= east && lat >= south && lat <= north;
  const where = `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
  const words = isInside ? [...map.divisionsAt(lon, lat), where].join(' · ') : say('%(place)s lies outside the city.', { place: where });
  if (at.textContent !== words) at.textContent = words; // read aloud once
  at.classList.toggle('wrong', !isInside);
  return isInside;
}

// Let somebody set the pin; return {lon, lat}, or null when the dialog was closed or the map could not be drawn.
// `start`: the place known so far; `middle`: where to begin without one, else the middle of `frame`; `marked`: codes of cells to
// draw the borders of; `styles`: sheets the page does not have yet; `options`: of createMap.
export async function pinMap(dialog, { start = null, middle = null, marked = [], styles = [], frame = null, zoom, options = {} }) {
  const closed = new Promise(resolve => { dialog.addEventListener('close', () => resolve(null), { once: true }); });
  const take = find('take', dialog);
  take.hidden = true;
  try {
    if (drawn && start) drawn.centreOn(start.lon, start.lat);
    drawn ??= await draw(dialog, { start, middle, styles, frame, zoom, options });
  } catch {
    find('map-words', dialog).textContent = t('The map needs a connection and a browser that can draw it.');
    return closed;
  }
  if (marked.length) drawn.markCells(marked);
  if (start) drawn.setPoint(start.lon, start.lat, start.accuracy_m ?? 0);
  listen(dialog, drawn);
  tell(dialog, drawn, frame);
  take.hidden = false;
  const taken = new Promise(resolve => {
    take.onclick = () => {
      if (!tell(dialog, drawn, frame)) return;
      resolve(place(drawn));
      dialog.close();
    };
  });
  return Promise.race([taken, closed]);
}
