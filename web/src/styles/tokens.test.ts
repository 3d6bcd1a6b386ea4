import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

type Rgb = [number, number, number];
type Tokens = Record<string, string>;

const css = readFileSync('src/styles/tokens.css', 'utf8');

function tokens(selector: string): Tokens {
  const begins = css.indexOf(`${selector} {`);
  const block = css.slice(begins, css.indexOf('}', begins));
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[\da-f]{6});/g)].map(([, name = '', value = '']) => [name, value]));
}

const light = tokens(':root');
const dark = { ...light, ...tokens(":root[data-theme='dark']") };
const themes = [
  ['light', light],
  ['dark', dark],
] as const;

/** Linear light of an sRGB colour. */
function linear(hex: string): Rgb {
  const channel = (from: number): number => {
    const level = Number.parseInt(hex.slice(from, from + 2), 16) / 255;
    return level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

/** Source: WCAG 2.2, contrast ratio. */
function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [one, other]
    .map((hex) => linear(hex))
    .map(([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue)
    .toSorted((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Source: Machado, Oliveira and Fernandes, IEEE TVCG 15 (2009), severity 1, doi:10.1109/TVCG.2009.113. */
const SIGHT: Record<string, number[][]> = {
  full: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

/** Source: Ottosson, "A perceptual color space for image processing" (Oklab, 2020). */
function oklab([red, green, blue]: Rgb): Rgb {
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const medium = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

function seen(hex: string, sight: string): Rgb {
  const levels = linear(hex);
  const mixed = (SIGHT[sight] ?? []).map((row) => row.reduce((sum, weight, index) => sum + weight * (levels[index] ?? 0), 0));
  return oklab(mixed.map((level) => Math.min(1, Math.max(0, level))) as Rgb);
}

function distance(one: string, other: string, sight: string): number {
  const [a, b] = [seen(one, sight), seen(other, sight)];
  return 100 * Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

const QUANTITIES = ['load', 'solar', 'battery', 'price', 'carbon'];

for (const [theme, named] of themes) {
  const color = (name: string): string => {
    const value = named[name];
    if (!value) throw new Error(`no token --${name}`);
    return value;
  };

  test(`text has a contrast of 4.5 on what it stands on (${theme})`, () => {
    const pairs: [string, string][] = [
      ...['page', 'surface', 'sunken'].flatMap((ground): [string, string][] => [['ink', ground], ['muted', ground]]),
      ...['page', 'surface', 'accent-wash'].map((ground): [string, string] => ['accent', ground]),
      ['on-accent', 'accent'],
      ['ink', 'warn-wash'],
      ['accent', 'warn-wash'],
      ['warn', 'warn-wash'],
      ['warn', 'surface'],
      ['ink', 'bad-wash'],
      ['bad', 'bad-wash'],
      ['bad', 'surface'],
      ['good', 'surface'],
    ];
    const tooFaint = pairs.filter(([text, ground]) => contrast(color(text), color(ground)) < 4.5);
    expect(tooFaint).toEqual([]);
  });

  test(`lines and controls have a contrast of 3 on their surface (${theme})`, () => {
    const drawn = [...QUANTITIES.flatMap((name) => [name, `${name}-forecast`]), 'rival', 'naive', 'control-line'];
    expect(drawn.filter((name) => contrast(color(name), color('surface')) < 3)).toEqual([]);
  });

  test(`quantities stay apart for every kind of sight (${theme})`, () => {
    const tooClose = Object.keys(SIGHT).flatMap((sight) =>
      QUANTITIES.flatMap((one, index) =>
        QUANTITIES.slice(index + 1)
          .filter((other) => distance(color(one), color(other), sight) < 9)
          .map((other) => `${one} and ${other} with ${sight}`),
      ),
    );
    expect(tooClose).toEqual([]);
  });

  test(`a forecast is the paler twin of its actual: nearer to the surface (${theme})`, () => {
    for (const name of QUANTITIES) {
      expect(contrast(color(`${name}-forecast`), color('surface'))).toBeLessThan(contrast(color(name), color('surface')));
    }
  });
}
