// Fails when what a browser must fetch before it shows anything weighs more than it may.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 300;
const built = new URL('../../src/watthour/api/static/', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(built, '.vite/manifest.json'), 'utf8'));

const needed = new Set(['index.html', 'theme.js']);
function need(name) {
  const { file, css = [], imports = [] } = manifest[name];
  for (const path of [file, ...css]) needed.add(path);
  for (const imported of imports) need(imported);
}
const entry = Object.keys(manifest).find((name) => manifest[name].isEntry);
need(entry);

const bytes = [...needed].reduce((sum, path) => sum + gzipSync(readFileSync(join(built, path))).length, 0);
const size = `First load: ${(bytes / 1024).toFixed(1)} KB gzip in ${needed.size} files, at most ${LIMIT_KB} KB`;
if (bytes > LIMIT_KB * 1024) throw new Error(size);
process.stdout.write(`${size}\n`);
