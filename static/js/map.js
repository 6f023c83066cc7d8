// The quiet map that all pages share: land in five neutral steps of burden, things with shapes of their own,
// names drawn from local fonts. Colours come from the tokens, so that both themes look the same.
//
//   const map = await createMap(element, { version, bounds, burden: true, onCell });
//   map.setBurden({code: [open, overdue]});  map.setHazards([{id, lon, lat, overdue, severity}]);
//
// A page includes templates/wall/_map_head.html, which brings the style sheets and the addresses of the library.
//
// Without cells (`cells: false`) the land is drawn as the counties are, from `base`: an address that is open to everybody.
import { t, token } from './words.js';

const FONT = ['Noto Sans SC Variable', 'Noto Sans CJK SC', 'sans-serif'];
const OVERDUE_MANY = 3; // cells with as many overdue are hatched
// Where the name of a county may move to when numbers lie on it, in ems.
const NEAR = ['center', [0, 0], ...[1.2, 2.2].flatMap(n => ['center', [0, n], 'center', [0, -n], 'center', [1.5 * n, 0], 'center', [-1.5 * n, 0]])];
const NOTHING = { type: 'FeatureCollection', features: [] };

export class NoMap extends Error {} // this browser cannot draw maps; the lists say the same

export async function createMap(container, options = {}) {
  const head = document.getElementById('map-assets').dataset;
  const version = options.version ?? head.version;
  const layers = baseLayers(options.base ?? `/tiles/${version}/base/`, options.counties !== false); // they come while the library is compiled and the cells are drawn
  const { library } = await import('./map-library.js');
  try {
    return new CityMap(library, container, version, layers, options);
  } catch (error) {
    throw error instanceof library.GPUInitializationError ? new NoMap(t('This browser cannot draw the map (no WebGL).')) : error;
  }
}

// A layer that is missing leaves a poorer map, not a broken page.
async function baseLayers(address, wanted) {
  const keys = wanted ? ['sea', 'river', 'counties', 'townships'] : ['sea', 'river'];
  const loaded = await Promise.all(keys.map(async key => {
    const answer = await fetch(`${address}${key}.geojson`).catch(() => null);
    return [key, answer?.ok ? await answer.json() : NOTHING];
  }));
  return Object.fromEntries(loaded);
}

class CityMap {
  #map; #options; #scale; #burden = {}; #hazards = NOTHING; #cells; #drawn; #ready; #marked = new Set(); #moved = false; #entered = false;

  constructor(library, container, version, layers, options) {
    this.#options = options;
    this.#scale = options.scale ?? 1;
    this.#map = new library.Map({
      container,
      attributionControl: false,
      fadeDuration: 0,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      interactive: options.interactive !== false,
      canvasContextAttributes: { preserveDrawingBuffer: Boolean(options.keepPixels) },
      ...view(options),
      minZoom: 6,
      maxZoom: 18,
      locale: { 'Map.Title': options.title ?? t('Map of the cells') },
      style: style(version, this.#scale, options),
    });
    this.#map.touchZoomRotate?.disableRotation();
    this.#map.addControl(new library.ScaleControl({ maxWidth: Math.round(140 * this.#scale), unit: 'metric' }), 'bottom-left');
    if (options.zoomButtons) this.#map.addControl(new library.NavigationControl({ showCompass: false }), 'top-right');
    // First the cells, which are what people look for and the most to draw; all else is laid about them when they stand.
    this.#cells = new Promise(resolve => this.#map.once('style.load', resolve));
    this.#drawn = new Promise(resolve => this.#map.once('idle', resolve));
    this.#ready = this.#drawn.then(async () => this.#dress(container, await layers));
    document.documentElement.addEventListener('themechange', () => this.restyle());
    this.#map.on('dragstart', () => { this.#moved = true; });
    this.#map.on('resize', () => { if (!this.#moved && !this.#entered && options.bounds?.length) this.#map.fitBounds(options.bounds, { padding: options.padding ?? 16, animate: false }); });
    this.#listen();
  }

  get drawn() { return this.#drawn; } // the cells
  get ready() { return this.#ready; } // and all that belongs about them
  get library() { return this.#map; }

  // Open and overdue by cell code: {code: [open, overdue]}. Only what changed is handed to the renderer.
  setBurden(values) {
    this.#cells.then(() => {
      for (const code of Object.keys(this.#burden)) if (!(code in values)) this.#map.removeFeatureState({ source: 'cells', sourceLayer: 'cells', id: code });
      for (const [code, [open, overdue]] of Object.entries(values)) {
        const [was, wasOver] = this.#burden[code] ?? [];
        if (was !== open || wasOver !== overdue) this.#map.setFeatureState({ source: 'cells', sourceLayer: 'cells', id: code }, { n: open, o: overdue });
      }
      if (Object.keys(values).length) this.#map.once('idle', () => { this.#map.getContainer().dataset.map ??= 'cells'; });
      this.#burden = Object.fromEntries(Object.entries(values).map(([code, pair]) => [code, [...pair]]));
    });
  }

  setHazards(items) {
    this.#hazards = { type: 'FeatureCollection', features: items.map(({ id, lon, lat, overdue, severity }) => point([lon, lat], { id, o: overdue ? 1 : 0, m: severity === 'major' ? 1 : 0 })) };
    this.#ready.then(() => this.#map.getSource('hazards').setData(this.#hazards));
  }

  // One place and the circle of its accuracy in metres.
  setPoint(lon, lat, accuracyM = 0) {
    this.#ready.then(() => {
      this.#map.getSource('point').setData({ type: 'FeatureCollection', features: [point([lon, lat], {}), ...(accuracyM ? [circle(lon, lat, accuracyM)] : [])] });
    });
  }

  // The names of the divisions at a place, the widest first; of a map without cells.
  divisionsAt(lon, lat) {
    const found = this.#map.getLayer('land') ? this.#map.queryRenderedFeatures(this.#map.project([lon, lat]), { layers: ['land', 'town-land'] }) : [];
    return ['land', 'town-land'].flatMap(id => found.filter(one => one.layer.id === id).slice(0, 1).map(one => nameOf(one.properties)));
  }

  clearPoint() { this.#ready.then(() => this.#map.getSource('point').setData(NOTHING)); }

  // Bring a place into view; what is seen already does not move.
  reveal(lon, lat) {
    const { x, y } = this.#map.project([lon, lat]), { clientWidth, clientHeight } = this.#map.getContainer(), edge = 60;
    if (x < edge || y < edge || x > clientWidth - edge || y > clientHeight - edge) { this.#moved = true; this.#map.jumpTo({ center: [lon, lat] }); }
  }

  // Draw the edge of these cells; the ones of the last call lose theirs.
  markCells(codes) {
    this.#ready.then(() => {
      // A layer of its own draws the edges of all cells, seen or not: only a map that marks some has it.
      if (codes.length && !this.#map.getLayer('marked')) this.#map.addLayer(marked(this.#scale, this.#options), this.#map.getLayer('accuracy') ? 'accuracy' : undefined);
      for (const code of this.#marked) this.#map.setFeatureState({ source: 'cells', sourceLayer: 'cells', id: code }, { m: false });
      this.#marked = new Set(codes);
      for (const code of codes) this.#map.setFeatureState({ source: 'cells', sourceLayer: 'cells', id: code }, { m: true });
    });
  }

  // After a look at a cluster, the whole area again. Returns whether there was anything to return from.
  returnToFrame() {
    if (!this.#entered) return false;
    this.#entered = false;
    this.fit(this.#options.bounds, this.#options.padding);
    return true;
  }

  fit(bounds, padding = 16) { if (bounds?.length) this.#map.fitBounds(bounds, { padding, animate: false }); }
  centreOn(lon, lat, zoom) { this.#map.jumpTo({ center: [lon, lat], ...(zoom ? { zoom } : {}) }); }
  remove() { this.#map.remove(); }

  restyle() {
    this.#ready.then(() => {
      for (const [layer, paint] of Object.entries(paints(this.#scale, this.#options)))
        if (this.#map.getLayer(layer)) for (const [name, value] of Object.entries(paint)) this.#map.setPaintProperty(layer, name, value);
      signs(this.#map, this.#scale);
    });
  }

  #dress(container, layers) {
    signs(this.#map, this.#scale);
    for (const [name, source] of Object.entries(sources(layers, this.#scale, this.#options))) this.#map.addSource(name, source);
    for (const layer of dress(this.#scale, this.#options)) this.#map.addLayer(layer, this.#map.getLayer(UNDER[layer.id]) ? UNDER[layer.id] : undefined);
    this.#map.getCanvas().setAttribute('aria-label', this.#options.title ?? t('Map of the cells'));
    this.#map.once('idle', () => { container.dataset.map = 'ready'; });
  }

  #listen() {
    const { onCell, onHazard, onPick, onHover } = this.#options;
    const cellsAt = place => this.#map.queryRenderedFeatures(place, { layers: ['cells', 'dedicated'].filter(id => this.#map.getLayer(id)) });
    this.#map.on('click', event => {
      const hazard = onHazard && this.#map.getLayer('hazards') && this.#map.queryRenderedFeatures(event.point, { layers: ['hazards'] })[0];
      if (hazard) { onHazard(hazard.properties.id); return; }
      const cluster = onHazard && this.#map.getLayer('clusters') && this.#map.queryRenderedFeatures(event.point, { layers: ['clusters'] })[0];
      if (cluster) { this.#enter(cluster); return; }
      if (onPick) { onPick(event.lngLat.lng, event.lngLat.lat); return; }
      const found = cellsAt(event.point);
      if (onCell && found.length) onCell(cellOf(found, 'base') ?? cellOf(found), cellOf(found, 'dedicated'), event.lngLat);
    });
    if (!onCell && !onHover) return;
    this.#map.on('mousemove', event => {
      const found = cellsAt(event.point);
      this.#map.getCanvas().style.cursor = found.length ? 'pointer' : '';
      onHover?.(cellOf(found, 'base') ?? cellOf(found), cellOf(found, 'dedicated'), event.point);
    });
    this.#map.on('mouseout', () => onHover?.(null));
  }

  // As far in as its members come apart.
  async #enter(cluster) {
    const zoom = await this.#map.getSource('hazards').getClusterExpansionZoom(cluster.properties.cluster_id);
    this.#entered = true;
    this.#map.jumpTo({ center: cluster.geometry.coordinates, zoom: Math.min(zoom, this.#map.getMaxZoom()) });
  }
}

const cellOf = (found, kind) => found.find(feature => !kind || feature.properties.kind === kind)?.properties.code ?? null;
const point = (coordinates, properties) => ({ type: 'Feature', properties, geometry: { type: 'Point', coordinates } });

function circle(lon, lat, radiusM) {
  const ring = Array.from({ length: 49 }, (_, i) => {
    const angle = i / 24 * Math.PI;
    return [lon + Math.cos(angle) * radiusM / (111320 * Math.cos(lat * Math.PI / 180)), lat + Math.sin(angle) * radiusM / 110574];
  });
  return { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [ring] } };
}

function view({ bounds, padding, center, zoom }) {
  if (bounds?.length) return { bounds, fitBoundsOptions: { padding: padding ?? 16 } };
  return { center: center ?? [118.6, 37.6], zoom: zoom ?? 9 };
}

const feature = (name, otherwise) => ['coalesce', ['feature-state', name], otherwise];

// Colours and widths only: what a change of theme sets anew.
function paints(scale, { area, burden }) {
  const px = n => n * scale;
  const steps = burden
    ? ['step', feature('n', 0), token('map-burden-0'), 1, token('map-burden-1'), 2, token('map-burden-2'), 4, token('map-burden-3'), 7, token('map-burden-4')]
    : token('map-burden-0');
  const shown = area ? ['case', ['==', ['slice', ['get', 'code'], 0, area.length], area], 1, .35] : 1; // the rest of the city is there, faintly
  const halo = { 'text-color': token('map-label'), 'text-halo-color': token('map-sea'), 'text-halo-width': px(1.6) };
  const many = ['>=', feature('o', 0), OVERDUE_MANY];
  return {
    ground: { 'background-color': token('map-sea') },
    sea: { 'fill-color': token('map-sea') },
    land: { 'fill-color': token('map-burden-0') },
    'town-land': { 'fill-opacity': 0 }, // asked for names, not seen
    cells: { 'fill-antialias': false, 'fill-color': steps, 'fill-opacity': shown },
    dedicated: { 'fill-antialias': false, 'fill-color': steps, 'fill-opacity': shown },
    'cell-lines': { 'line-color': token('map-sea'), 'line-width': ['interpolate', ['linear'], ['zoom'], 8, px(.25), 12, px(1.2)], 'line-opacity': ['interpolate', ['linear'], ['zoom'], 8.5, .3, 11, .85] },
    'dedicated-lines': { 'line-color': token('map-edge'), 'line-width': px(.8), 'line-opacity': ['interpolate', ['linear'], ['zoom'], 10, 0, 11.5, .8] },
    'sea-lines': { 'line-color': token('map-town'), 'line-width': px(.8), 'line-dasharray': [3, 3], 'line-opacity': ['interpolate', ['linear'], ['zoom'], 9, .35, 11, 1] },
    marked: { 'line-color': token('action'), 'line-width': ['case', feature('m', false), px(2.5), 0], 'line-opacity': ['case', feature('m', false), 1, 0] },
    towns: { 'line-color': token('map-town'), 'line-width': px(.7) },
    river: { 'line-color': token('map-water'), 'line-width': px(5) },
    counties: { 'line-color': token('map-edge'), 'line-width': px(1.4) },
    over: { 'fill-opacity': ['case', many, 1, 0] },
    'over-line': { 'line-color': token('late-mark'), 'line-width': px(1.1), 'line-opacity': ['case', many, 1, 0] },
    'point-ring': { 'circle-radius': px(20), 'circle-color': 'transparent', 'circle-stroke-color': token('action'), 'circle-stroke-width': px(2.5), 'circle-translate': [0, px(-14)] },
    accuracy: { 'fill-color': token('map-thing'), 'fill-opacity': .18 },
    'county-names': halo,
    'township-names': { ...halo, 'text-halo-width': px(1.2) },
    clusters: { 'text-color': token('text-strong') },
    'river-names': { 'text-color': token('map-label'), 'text-halo-color': token('map-sea'), 'text-halo-width': px(1.2) },
  };
}

const kind = (...names) => ['in', ['get', 'kind'], ['literal', names]];
const CELLS = { source: 'cells', 'source-layer': 'cells' };

const UNDER = { sea: 'cells', 'cell-lines': 'dedicated' };

// What is drawn first. Every kind of line or filling more has to be compiled before anything is seen.
function style(version, scale, options) {
  const paint = paints(scale, options);
  if (options.cells === false) return { version: 8, sources: {}, layers: [{ id: 'ground', type: 'background', paint: paint.ground }] };
  return {
    version: 8,
    sources: {
      cells: { type: 'vector', tiles: [`${location.origin}/tiles/${version}/cells/{z}/{x}/{y}.mvt`], minzoom: 7, maxzoom: 14, promoteId: { cells: 'code' } },
    },
    layers: [
      { id: 'ground', type: 'background', paint: paint.ground },
      { id: 'cells', type: 'fill', ...CELLS, filter: kind('base'), paint: paint.cells },
      { id: 'dedicated', type: 'fill', ...CELLS, filter: kind('dedicated'), paint: paint.dedicated },
    ],
  };
}

const sources = (layers, scale, options) => ({
  sea: { type: 'geojson', data: layers.sea },
  river: { type: 'geojson', data: layers.river },
  counties: { type: 'geojson', data: layers.counties ?? NOTHING },
  townships: { type: 'geojson', data: layers.townships ?? NOTHING },
  names: { type: 'geojson', data: names(layers) },
  hazards: { type: 'geojson', data: NOTHING, ...(options.cluster ? clustered(scale) : {}) },
  point: { type: 'geojson', data: NOTHING },
});

const marked = (scale, options) => ({ id: 'marked', type: 'line', ...CELLS, paint: paints(scale, options).marked });

// A cluster is as grave as its worst member: overdue, major.
const clustered = scale => ({
  cluster: true, clusterRadius: Math.round(52 * scale), clusterMaxZoom: 15,
  clusterProperties: { o: ['max', ['get', 'o']], m: ['max', ['get', 'm']] },
});

// What is laid under, upon and about the cells, once the signs are drawn: from below to above.
function dress(scale, options) {
  const paint = paints(scale, options), size = n => Math.round(n * scale);
  const words = { 'text-font': FONT, 'text-field': ['get', 'name'] };
  const worst = ['+', ['get', 'o'], ['*', 2, ['get', 'm']]];
  const only = sort => ['==', ['get', 'sort'], sort];
  const land = [
    { id: 'land', type: 'fill', source: 'counties', paint: paint.land },
    { id: 'town-land', type: 'fill', source: 'townships', paint: paint['town-land'] },
  ];
  const layers = [
    ...(options.cells === false ? land : []),
    { id: 'sea', type: 'fill', source: 'sea', paint: paint.sea },
    { id: 'cell-lines', type: 'line', ...CELLS, filter: kind('base'), paint: paint['cell-lines'] },
    { id: 'dedicated-lines', type: 'line', ...CELLS, filter: kind('dedicated'), minzoom: 10, paint: paint['dedicated-lines'] },
    { id: 'sea-lines', type: 'line', ...CELLS, filter: kind('sea'), paint: paint['sea-lines'] },
    { id: 'over', type: 'fill', ...CELLS, paint: { ...paint.over, 'fill-pattern': 'over' } },
    { id: 'towns', type: 'line', source: 'townships', paint: paint.towns },
    { id: 'river', type: 'line', source: 'river', layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: paint.river },
    { id: 'counties', type: 'line', source: 'counties', layout: { 'line-join': 'round' }, paint: paint.counties },
    { id: 'over-line', type: 'line', ...CELLS, paint: paint['over-line'] },
    { id: 'accuracy', type: 'fill', source: 'point', filter: ['==', ['geometry-type'], 'Polygon'], paint: paint.accuracy },
    { id: 'river-names', type: 'symbol', source: 'river', layout: { 'text-font': FONT, 'text-field': t('Yellow River'), 'symbol-placement': 'line-center', 'text-size': size(18), 'text-offset': [0, -.9] }, paint: paint['river-names'] },
    { id: 'township-names', type: 'symbol', source: 'names', filter: only('township'), minzoom: options.townshipsFrom ?? 10.2, layout: { ...words, 'text-size': size(18) }, paint: paint['township-names'] },
    { id: 'hazards', type: 'symbol', source: 'hazards', filter: ['!', ['has', 'point_count']], layout: { 'icon-image': ['concat', 'hazard-', ['get', 'o'], ['get', 'm']], 'icon-anchor': 'bottom', 'icon-allow-overlap': true, 'symbol-sort-key': worst } },
    { id: 'point', type: 'symbol', source: 'point', filter: ['==', ['geometry-type'], 'Point'], layout: { 'icon-image': 'hazard-00', 'icon-anchor': 'bottom', 'icon-allow-overlap': true, 'icon-size': 1.4 } },
    ...(options.ring ? [{ id: 'point-ring', type: 'circle', source: 'point', filter: ['==', ['geometry-type'], 'Point'], paint: paint['point-ring'] }] : []),
    { id: 'county-names', type: 'symbol', source: 'names', filter: only('county'), maxzoom: 11.5, layout: { ...words, 'text-size': size(22), 'text-letter-spacing': .08, ...(options.cluster ? { 'text-variable-anchor-offset': NEAR } : {}) }, paint: paint['county-names'] },
    ...(options.cluster ? [{
      id: 'clusters', type: 'symbol', source: 'hazards', filter: ['has', 'point_count'],
      layout: {
        'text-font': FONT, 'text-field': ['number-format', ['get', 'point_count'], { locale: 'en' }], 'text-size': size(20), 'text-anchor': 'bottom', 'text-offset': [0, -.4], 'text-allow-overlap': true,
        'icon-image': ['concat', 'cluster-', ['get', 'o'], ['get', 'm']], 'icon-text-fit': 'both', 'icon-allow-overlap': true, 'symbol-sort-key': worst,
      },
      paint: paint.clusters,
    }] : []),
  ];
  return options.cells === false ? layers.filter(({ source }) => source !== 'cells') : layers;
}

// A division's name in the language of the page.
function nameOf({ name_en: inEnglish, name_zh: inChinese, name }) {
  return (document.documentElement.lang.startsWith('en') && inEnglish) || inChinese || name || '';
}

// One name a division, in the middle of its largest outline.
function names(layers) {
  const labels = [];
  for (const [key, sort] of [['counties', 'county'], ['townships', 'township']])
    for (const { properties, geometry } of (layers[key] ?? NOTHING).features) {
      if (!geometry) continue;
      labels.push(point(middle(geometry), { name: nameOf(properties), sort }));
    }
  return { type: 'FeatureCollection', features: labels };
}

function middle({ type, coordinates }) {
  const rings = (type === 'Polygon' ? [coordinates] : coordinates).map(polygon => polygon[0]);
  const measured = rings.map(ring => centroid(ring)).sort((a, b) => b.area - a.area);
  return measured[0].at;
}

function centroid(ring) {
  let area = 0, x = 0, y = 0;
  for (let i = 0; i < ring.length - 1; i++) {
    const cross = ring[i][0] * ring[i + 1][1] - ring[i + 1][0] * ring[i][1];
    area += cross; x += (ring[i][0] + ring[i + 1][0]) * cross; y += (ring[i][1] + ring[i + 1][1]) * cross;
  }
  return area ? { area: Math.abs(area), at: [x / (3 * area), y / (3 * area)] } : { area: 0, at: ring[0] };
}

const READ = { willReadFrequently: true }; // drawn by the processor: to fetch a picture back from the graphics card takes longer

function drawn(size, paint) {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size;
  const pen = canvas.getContext('2d', READ);
  pen.scale(size / 32, size / 32);
  pen.translate(16, 16);
  pen.lineJoin = 'round';
  paint(pen);
  return pen.getImageData(0, 0, size, size);
}

function drop(pen) {
  pen.beginPath(); pen.moveTo(0, 14); pen.bezierCurveTo(-4, 6, -9, 2, -9, -4); pen.arc(0, -4, 9, Math.PI, 0); pen.bezierCurveTo(9, 2, 4, 6, 0, 14); pen.closePath();
}

function outlined(pen, ground, thing) {
  pen.lineWidth = 6; pen.strokeStyle = ground; pen.stroke(); pen.fillStyle = ground; pen.fill(); pen.lineWidth = 2.6; pen.strokeStyle = thing; pen.stroke();
}

// A plate that stretches about a number, with the signs of its worst member before it. Twice as fine as the screen.
function plateOf(scale, { overdue, major, ground, edge, dropOf, boxOf }) {
  const px = n => Math.round(n * scale * 2), pad = 6, sign = 17, high = 26;
  const before = pad + (major ? sign + 4 : 0) + (overdue ? sign + 1 : 0), wide = before + 12 + pad;
  const canvas = document.createElement('canvas');
  canvas.width = px(wide);
  canvas.height = px(high);
  const pen = canvas.getContext('2d', READ);
  pen.scale(canvas.width / wide, canvas.height / high);
  pen.beginPath(); pen.roundRect(1.5, 1.5, wide - 3, high - 3, 6); pen.fillStyle = ground; pen.fill();
  pen.lineWidth = 1.4; pen.strokeStyle = edge; pen.stroke();
  if (major) boxOf(pen, pad, (high - sign) / 2, sign);
  if (overdue) {
    pen.save(); pen.translate(pad + (major ? sign + 4 : 0) + sign / 2, high / 2); pen.scale(sign / 30, sign / 30); dropOf(pen, true); pen.restore();
  }
  const fit = { stretchX: [[px(before + 2), px(before + 8)]], stretchY: [[px(high / 2) - 1, px(high / 2) + 1]], content: [px(before), px(2), px(wide - pad), px(high - 2)] };
  return { picture: pen.getImageData(0, 0, canvas.width, canvas.height), fit };
}

// Singles are drops, filled when overdue; several are a plate with their number. A white box says major.
function signs(map, scale) {
  const thing = token('map-thing'), ground = token('map-sea'), late = token('late-mark'), box = token('action'), boxText = token('action-text');
  const size = Math.round(22 * scale) * 2, letter = t('Maj.').slice(0, 1);
  const set = (name, picture, more) => (map.hasImage(name) ? map.updateImage(name, picture) : map.addImage(name, picture, { pixelRatio: 2, ...more }));
  const dropOf = (pen, overdue) => {
    drop(pen);
    if (!overdue) { outlined(pen, ground, thing); return; }
    pen.lineWidth = 5; pen.strokeStyle = ground; pen.stroke(); pen.fillStyle = late; pen.fill();
    pen.beginPath(); pen.moveTo(0, -9); pen.lineTo(0, -4); pen.lineTo(4, -2); pen.lineWidth = 2.6; pen.strokeStyle = ground; pen.stroke();
  };
  const boxOf = (pen, x, y, side) => {
    pen.beginPath(); pen.roundRect(x, y, side, side, side / 6); pen.lineWidth = 2; pen.strokeStyle = ground; pen.stroke(); pen.fillStyle = box; pen.fill();
    pen.fillStyle = boxText; pen.font = `600 ${side * .78}px ${FONT.map(name => JSON.stringify(name)).join()}`; pen.textAlign = 'center'; pen.textBaseline = 'middle';
    pen.fillText(letter, x + side / 2, y + side * .54);
  };
  for (const overdue of [0, 1]) for (const major of [0, 1]) {
    set(`hazard-${overdue}${major}`, drawn(Math.round(size * (1 + major * .4)), pen => {
      if (major) { pen.scale(1 / 1.4, 1 / 1.4); pen.translate(0, 6.2); }
      dropOf(pen, overdue);
      if (major) boxOf(pen, 1, -27, 17);
    }));
    const plate = plateOf(scale, { overdue, major, ground, edge: token('line-strong'), dropOf, boxOf });
    set(`cluster-${overdue}${major}`, plate.picture, plate.fit);
  }
  const side = 16, canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const pen = canvas.getContext('2d', READ);
  pen.strokeStyle = late; pen.lineWidth = 1.5; pen.globalAlpha = .7; pen.beginPath();
  for (const start of [-side, 0, side]) { pen.moveTo(start, side); pen.lineTo(start + side, 0); }
  pen.stroke();
  set('over', pen.getImageData(0, 0, side, side));
}

