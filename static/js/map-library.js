// The map's library is read and its worker started while the page is still being laid out: both take a slow computer long.
const { library: address, worker } = document.getElementById('map-assets').dataset;
export const library = await import(address);
library.setWorkerUrl(new URL(worker, location.href).href);
library.prewarm();
