// Before the first paint: theme, scale and tiles of the address, and how much fits. A classic script in the head.
(() => {
  const root = document.documentElement;
  const asked = new URLSearchParams(location.search);
  const theme = asked.get('theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  const scales = [100, 125, 150, 200, 250, 300];
  const wanted = Number(asked.get('scale')) || 100;
  const scale = scales.reduce((best, one) => (Math.abs(one - wanted) < Math.abs(best - wanted) ? one : best));
  root.dataset.scale = scale;

  function fit() {
    const aspect = innerWidth / innerHeight;
    const page = aspect < 1.3 || innerHeight < 400; // a phone or a sheet of paper: an ordinary page that scrolls
    root.dataset.fit = page ? 'page' : scale < 125 ? 'full' : scale < 200 ? 'mid' : 'few';
    const tiles = asked.get('tiles');
    root.dataset.tiles = ['1x1', '2x1', '3x2'].includes(tiles) ? tiles : aspect >= 3 ? '2x1' : aspect >= 2.4 ? '3x2' : '1x1';
  }
  fit();
  addEventListener('resize', fit);
})();
