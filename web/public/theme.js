// Settles light or dark before anything is painted; app/theme.ts changes it afterwards.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem('watthour.theme');
  } catch {
    // storage may be forbidden; the system's preference then stands
  }
  const dark = chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
