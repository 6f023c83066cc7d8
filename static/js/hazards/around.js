// The map beside the list of cases near by.
import { mapBeside } from '../places.js';
import { read } from '../wall/feed.js';

const panel = document.getElementById('around');
mapBeside(panel, [...panel.querySelectorAll('li[data-lon]')], {
  title: row => `${row.querySelector('a').textContent} ${row.querySelector('a').nextElementSibling.textContent} · ${row.querySelector('.state').textContent}`,
  more: async () => ({ version: (await read('/api/v1/grid/')).version, counties: false }),
});
