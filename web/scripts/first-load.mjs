// Fails when what a browser must fetch before the first picture of any page weighs more than it may.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 250;
const built = new URL('../../src/watthour/api/static/', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(built, '.vite/manifest.json'), 'utf8'));

// The page itself, what it names (the theme, the icon), and the program without its pages.
const page = readFileSync(join(built, 'index.html'), 'utf8');
const shell = new Set(['index.html', ...[...page.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, path]) => path)]);
function need(names, files, visited = new Set()) {
  for (const name of names) {
    if (visited.has(name)) continue;
    visited.add(name);
    const { file, css = [], assets = [], imports = [], dynamicImports = [], isEntry = false } = manifest[name];
    for (const path of [file, ...css, ...assets]) files.add(path);
    // What a page imports later counts as well, for its first picture waits for it; of the pages only one is opened.
    need([...imports, ...(isEntry ? [] : dynamicImports)], files, visited);
  }
  return files;
}
const entries = Object.keys(manifest).filter((key) => manifest[key].isEntry);
need(entries, shell);

const weigh = (files) => [...files].reduce((sum, path) => sum + gzipSync(readFileSync(join(built, path))).length, 0) / 1024;
const pages = entries.flatMap((key) => manifest[key].dynamicImports ?? []);
const [heaviest, kb] = pages.map((name) => [name, weigh(need([name], new Set(shell)))]).toSorted(([, a], [, b]) => b - a)[0];
const size = `First load: ${kb.toFixed(1)} KB gzip for ${heaviest}, the heaviest page (${weigh(shell).toFixed(1)} KB without it), at most ${LIMIT_KB} KB`;
if (kb > LIMIT_KB) throw new Error(size);
process.stdout.write(`${size}\n`);
