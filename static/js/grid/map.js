// The map beside the register: the shared map, with the places of the list as marks that lead to their pages.
import { createMap, NoMap } from '../map.js';

const box = document.querySelector('.grid-map');
const data = JSON.parse(document.getElementById('grid-map-data').textContent);
const said = document.querySelector('.grid-credit');

// The marks are what the list shows now; htmx brings another list with other rows.
const places = () => [...document.querySelectorAll('tr[data-lon]')].map(({ dataset }) => ({ id: dataset.href, lon: +dataset.lon, lat: +dataset.lat }));

try {
  const map = await createMap(box.querySelector('[data-map]'), {
    version: data.sources.version,
    ...(data.focus ? { center: data.focus, zoom: 14 } : { bounds: frame(places()) ?? data.sources.bounds }),
    zoomButtons: true,
    onHazard: href => location.assign(href),
  });
  if (data.focus && !data.cell) map.setPoint(...data.focus);
  if (data.cell) map.markCells([data.cell]);
  map.setHazards(places());
  document.addEventListener('htmx:after:swap', () => { map.setHazards(places()); map.fit(frame(places())); });
} catch (error) {
  if (!(error instanceof NoMap)) console.warn(error);
  box.hidden = true;
  said.textContent = box.dataset.failed;
}

function frame(points) {
  if (!points.length) return null;
  const lons = points.map(({ lon }) => lon), lats = points.map(({ lat }) => lat);
  return [[Math.min(...lons) - .005, Math.min(...lats) - .005], [Math.max(...lons) + .005, Math.max(...lats) + .005]];
}
