import { expect, test } from 'vitest';

import { makeInsights } from '@/test/homes';

import { changeInWords, judgedInWords, oddInWords, runInWords } from './odd';

test('what is odd is told with what is usual and how seldom it is, the lasting first, then the newest', () => {
  expect(oddInWords(makeInsights(), 'Europe/Paris')).toEqual([
    {
      key: 'shift 2026-11-14',
      when: 'Since Sat 14 Nov',
      what: 'The load is 120\u00a0W higher at all hours.',
      evidence: 'Between 80\u00a0W and 160\u00a0W with 95\u00a0% probability; it has lasted 7 days.',
    },
    {
      key: '2026-11-11T17:00:00Z',
      when: 'Wed 11 Nov, 18:00–19:00',
      what: '1.42\u00a0kW was fed in, where 80\u00a0W fed in is usual: 1.34\u00a0kWh less than usual.',
      evidence: 'By chance alone this comes less than once in 19 years.',
    },
    {
      key: '2026-11-03T02:00:00Z',
      when: 'Tue 3 Nov, 03:00–06:00',
      what: '2.12\u00a0kW was used, where 118\u00a0W is usual: 6.01\u00a0kWh more than usual.',
      evidence: 'By chance alone this comes about once in 14 months.',
    },
  ]);
});

test('a changed habit names the days, the hours and both amounts', () => {
  const change = { first_hour: 6, end_hour: 9, days: 'working days', before_kwh: 0.9, after_kwh: 1.6, after_low_kwh: 1.3, after_high_kwh: 1.9, chance: 0.001, n_days: 15, n_past_days: 40 };
  expect(changeInWords(change)).toMatchObject({
    when: 'Working days, 06:00–09:00',
    what: 'A changed habit: 1.60\u00a0kWh a day now, 0.90\u00a0kWh in the weeks before.',
    evidence: 'Between 1.30\u00a0kWh and 1.90\u00a0kWh with 95\u00a0% probability, from 15 days.',
  });
});

test('hours that a charging car hides are said', () => {
  const { oddities } = makeInsights();
  if (!oddities) throw new Error('the made-up home was judged');
  expect(judgedInWords(oddities, null, 'Europe/Paris')).toBe('672 hours were compared with the weeks before, Sat 24 Oct');
  expect(judgedInWords({ ...oddities, n_hours: 640, n_charging_hours: 32 }, null, 'Europe/Paris')).toBe(
    '640 hours were compared with the weeks before, Sat 24 Oct. In 32 more a car without a meter of its own seems to charge, and hides most of what else was on',
  );
});

test('a device that is seldom on is told of by its runs', () => {
  const long = { kind: 'duration', start: '2026-11-18T18:00:00Z', end: '2026-11-19T07:00:00Z', is_over: true, energy_kwh: 26, measured: 13, usual: 1.5, usual_high: 2, once_in_weeks: 212 };
  expect(runInWords(long, 'Europe/Paris')).toEqual({
    key: 'duration 2026-11-18T18:00:00Z',
    when: 'Wed 18 Nov, 19:00–08:00',
    what: 'It ran for 13\u00a0h, where 90\u00a0min is usual.',
    evidence: 'By chance alone this comes about once in 4 years.',
  });
  expect(runInWords({ ...long, is_over: false }, 'Europe/Paris').what).toBe('It has been running for 13\u00a0h, where 90\u00a0min is usual.');
  const pause = { ...long, kind: 'pause', end: '2026-12-12T07:00:00Z', is_over: false, energy_kwh: null, measured: 23.5, usual: 2.1 };
  expect(runInWords(pause, 'Europe/Paris')).toMatchObject({
    when: 'Wed 18 Nov, 19:00 to Sat 12 Dec, 08:00 CET',
    what: 'It has not run for 24 days, where 2 is usual.',
  });
  expect(runInWords({ ...long, kind: 'clock', measured: 19, usual: 9.5, usual_high: null }, 'Europe/Paris').what).toContain('most runs begin at about 10:00');
  const { oddities } = makeInsights();
  if (!oddities) throw new Error('the made-up home was judged');
  const ofRuns = { ...oddities, anomalies: [], shifts: [], runs: [long, pause], n_runs: 9 };
  expect(oddInWords({ oddities: ofRuns, habits: null }, 'Europe/Paris').map(({ key }) => key)).toEqual(['pause 2026-11-18T18:00:00Z', 'duration 2026-11-18T18:00:00Z']);
  expect(judgedInWords(ofRuns, null, 'Europe/Paris')).toBe('9 runs were compared with the weeks before, Sat 24 Oct');
});
