// Fails when what a browser must fetch before the first picture weighs more than it may.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 250;
const built = new URL('../../src/watthour/api/static/', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(built, '.vite/manifest.json'), 'utf8'));

// The page itself, what it names (the theme, the icon), and every part of the program: what is imported
// later counts as well, for the first picture waits for it.
const page = readFileSync(join(built, 'index.html'), 'utf8');
const needed = new Set(['index.html', ...[...page.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, path]) => path)]);
const visited = new Set();
function need(name) {
  if (visited.has(name)) return;
  visited.add(name);
  const { file, css = [], assets = [], imports = [], dynamicImports = [] } = manifest[name];
  for (const path of [file, ...css, ...assets]) needed.add(path);
  for (const imported of [...imports, ...dynamicImports]) need(imported);
}
for (const name of Object.keys(manifest).filter((key) => manifest[key].isEntry)) need(name);

const bytes = [...needed].reduce((sum, path) => sum + gzipSync(readFileSync(join(built, path))).length, 0);
const size = `First load: ${(bytes / 1024).toFixed(1)} KB gzip in ${needed.size} files, at most ${LIMIT_KB} KB`;
if (bytes > LIMIT_KB * 1024) throw new Error(size);
process.stdout.write(`${size}\n`);
