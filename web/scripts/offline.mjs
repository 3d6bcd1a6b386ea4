// Tells the built service worker its files and their version, which is the hash of all of them.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const built = new URL('../../src/watthour/api/static/', import.meta.url).pathname;
const worker = join(built, 'sw.js');
const files = readdirSync(built, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(built.length))
  .filter((path) => path !== 'sw.js' && !path.startsWith('.'))
  .toSorted();

const hash = createHash('sha256').update(readFileSync(worker));
for (const path of files) hash.update(path).update(readFileSync(join(built, path)));
const version = hash.digest('hex').slice(0, 12);

const stamps = { "const VERSION = 'not built';": `const VERSION = '${version}';`, 'const FILES = [];': `const FILES = ${JSON.stringify(files.map((path) => `/${path}`))};` };
let text = readFileSync(worker, 'utf8');
for (const [from, to] of Object.entries(stamps)) {
  if (!text.includes(from)) throw new Error(`sw.js has no line ${from}`);
  text = text.replace(from, to);
}
writeFileSync(worker, text);
