// The line along which a cell is split: clicked on the shared map, or typed as coordinates; the text is what is sent.
import { createMap, NoMap } from '../map.js';
import { token } from '../words.js';

const box = document.querySelector('.grid-map');
const data = JSON.parse(document.getElementById('grid-map-data').textContent);
const text = document.querySelector('[data-draw] [name="line"]');
const said = document.querySelector('.grid-credit');

const points = () => text.value.split('\n').map(row => row.trim().split(/[\s,]+/).map(Number)).filter(([lon, lat]) => Number.isFinite(lon) && Number.isFinite(lat));
const shape = () => ({ type: 'FeatureCollection', features: [
  ...points().map(at => ({ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: at } })),
  ...(points().length > 1 ? [{ type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates: points() } }] : []),
] });

try {
  const map = await createMap(box.querySelector('[data-map]'), {
    version: data.sources.version,
    ...(data.focus ? { center: data.focus, zoom: 13 } : { bounds: data.sources.bounds }),
    zoomButtons: true,
  });
  if (data.cell) map.markCells([data.cell]);
  await map.ready;
  const { library } = map;
  library.addSource('line', { type: 'geojson', data: shape() });
  library.addLayer({ id: 'line', type: 'line', source: 'line', paint: { 'line-color': token('late-mark'), 'line-width': 2.5 } });
  library.addLayer({ id: 'line-points', type: 'circle', source: 'line', filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-color': token('late-mark'), 'circle-radius': 5 } });
  const draw = () => library.getSource('line').setData(shape());
  library.on('click', ({ lngLat: { lng, lat } }) => {
    text.value = `${text.value.trim()}\n${lng.toFixed(6)}, ${lat.toFixed(6)}`.trim();
    draw();
  });
  text.addEventListener('input', draw);
  document.querySelector('[data-line-clear]').addEventListener('click', () => { text.value = ''; draw(); });
} catch (error) {
  if (!(error instanceof NoMap)) console.warn(error);
  box.hidden = true;
  said.textContent = box.dataset.failed;
}
