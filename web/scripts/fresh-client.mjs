// Makes the API client anew where openapi.json is newer than it; otherwise there is nothing to do.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';

const changedAt = (path) => statSync(new URL(`../${path}`, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;
const made = changedAt('src/client/sdk.gen.ts');
const isStale = ['openapi.json', 'openapi-ts.config.ts', 'package-lock.json'].some((path) => changedAt(path) > made);

if (isStale) process.exitCode = spawnSync('npm', ['run', '--silent', 'client'], { stdio: 'inherit' }).status ?? 1;
