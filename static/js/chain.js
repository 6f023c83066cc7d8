// The evidence chain on paper.
document.querySelector('[data-print]')?.addEventListener('click', () => print());
