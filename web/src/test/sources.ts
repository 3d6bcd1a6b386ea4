/** Made-up sources with what the server says of them. */
import type { SourceEntry, SourceList } from '@/client';

export const NOW = '2026-11-21T14:20:00Z';

export function makeSource(source: Partial<SourceEntry> = {}): SourceEntry {
  return {
    name: 'homewizard',
    kind: 'homewizard',
    label: 'HomeWizard',
    origin: 'added',
    address: '192.168.1.20',
    hosts: ['192.168.1.20'],
    simulated: false,
    state: 'ok',
    words: 'Connected; 1 device speaks.',
    problem: null,
    remedy: null,
    last_heard_at: '2026-11-21T14:19:48Z',
    last_run_at: null,
    values_of_last_hour: 720,
    faults: 0,
    file: null,
    new_rows: null,
    refused_rows: null,
    feeds: [],
    things: [
      {
        key: 'homewizard/1/import',
        device: 'homewizard/1',
        name: 'P1 meter import',
        kind: 'meter',
        source: 'homewizard',
        channel: null,
        grid_meter: false,
        silent: false,
        values: [{ tells: 'counter', value: 13779.3, unit: 'kWh', text: '13,779.3 kWh', time: '2026-11-21T14:19:48Z', heard_at: '2026-11-21T14:19:48Z' }],
      },
    ],
    ...source,
  };
}

export function makeSources(sources: SourceEntry[]): SourceList {
  return {
    now: NOW,
    sources,
    kinds: [
      {
        kind: 'mqtt',
        title: 'MQTT broker',
        delivers: 'what devices tell a broker',
        page: 'docs/reference/sources/mqtt.md',
        is_of_homes: true,
        has_past: false,
        fields: [
          { name: 'host', label: 'Address of the broker', hint: 'Such as 192.168.1.10', type: 'text', required: true },
          { name: 'password', label: 'Password', hint: '', type: 'secret', required: false },
          { name: 'tls', label: 'Use TLS', hint: '', type: 'yes_no', required: false },
        ],
      },
      {
        kind: 'homewizard',
        title: 'HomeWizard',
        delivers: 'P1 meters',
        page: 'docs/reference/sources/homewizard.md',
        is_of_homes: true,
        has_past: false,
        fields: [{ name: 'hosts', label: 'Address of the device', hint: '', type: 'text', required: true }],
      },
      {
        kind: 'home_assistant',
        title: 'Home Assistant: its statistics, years back',
        delivers: 'long-term statistics',
        page: 'docs/reference/sources/home_assistant.md',
        is_of_homes: true,
        has_past: true,
        fields: [
          { name: 'url', label: 'Address of Home Assistant', hint: '', type: 'text', required: true },
          { name: 'token', label: 'Long-lived access token', hint: '', type: 'secret', required: true },
        ],
      },
      {
        kind: 'eia',
        title: 'EIA: demand of US regions',
        delivers: 'hourly demand',
        page: 'docs/reference/sources/eia.md',
        is_of_homes: false,
        has_past: true,
        fields: [{ name: 'api_key', label: 'API key', hint: '', type: 'secret', required: true }],
      },
    ],
  };
}
