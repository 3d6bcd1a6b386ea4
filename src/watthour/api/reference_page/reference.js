// Draws /openapi.json as a page. Text from the document is only ever set as text, never as HTML.
'use strict';

const LONGEST_SHOWN = 20000; // characters of an answer
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** Make an element; properties are set, children appended, null left out. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

/** Text in which `backticks` mark code. */
function prose(text) {
  return String(text ?? '').split('`').map((part, place) => (place % 2 ? make('code', {}, part) : part));
}

function resolved(api, schema) {
  const name = schema?.$ref?.split('/').pop();
  return name === undefined ? (schema ?? {}) : { ...api.components.schemas[name], title: name };
}

/** What a value is, in words: `number or null`, `list of ForecastPoint`. */
function kind(api, schema) {
  if (schema === undefined || schema === true) return 'anything';
  if (schema.$ref) return schema.$ref.split('/').pop();
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return [...new Set(choices.map((choice) => kind(api, choice)))].join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  if (schema.type === 'array') return `list of ${kind(api, schema.items)}`;
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
    return `${kind(api, schema.additionalProperties)} by name`;
  }
  return schema.format ?? schema.type ?? 'anything';
}

/** The limits of a value, such as `0 to 23`. */
function limits(schema) {
  const each = [schema, ...(schema.anyOf ?? [])];
  const found = (name) => each.map((one) => one[name]).find((value) => value !== undefined);
  const [least, most] = [found('minimum'), found('maximum')];
  const said = [];
  if (least !== undefined && most !== undefined) said.push(`${least} to ${most}`);
  else if (least !== undefined) said.push(`at least ${least}`);
  else if (most !== undefined) said.push(`at most ${most}`);
  if (schema.default !== undefined && schema.default !== null) said.push(`default ${JSON.stringify(schema.default)}`);
  return said.join('; ');
}

/** The named schemas that a schema is made of. */
function parts(schema) {
  return [schema, schema?.items, schema?.additionalProperties, ...(schema?.anyOf ?? [])]
    .filter((part) => part && typeof part === 'object')
    .flatMap((part) => (part === schema ? (part.$ref ? [part] : []) : parts(part)));
}

/** A table of a schema's properties; those that are objects open in their row. */
function properties(api, schema, seen = []) {
  const whole = resolved(api, schema);
  const inner = parts(schema);
  if (!whole.properties) {
    return make('div', {}, make('p', {}, `A ${kind(api, schema)}.`), inner.map((part) => (part === schema ? null : properties(api, part, seen))));
  }
  const required = new Set(whole.required ?? []);
  const rows = Object.entries(whole.properties).map(([name, property]) => {
    const nested = parts(property).filter((part) => !seen.includes(part.$ref));
    const about = [...prose(property.description), limits(property) ? ` (${limits(property)})` : null];
    return make(
      'tr', {},
      make('td', {}, make('code', {}, name), required.has(name) ? null : make('span', { className: 'quiet' }, ' optional')),
      make('td', {}, kind(api, property)),
      make('td', {}, about, nested.map((part) => make('details', {}, make('summary', {}, part.$ref.split('/').pop()), properties(api, part, [...seen, part.$ref])))),
    );
  });
  return make('div', {},
    whole.description ? make('p', { className: 'quiet' }, prose(whole.description)) : null,
    make('div', { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: `Properties of ${whole.title ?? 'the body'}` }, make('table', {},
      make('thead', {}, make('tr', {}, ...['name', 'type', 'meaning'].map((title) => make('th', { scope: 'col' }, title)))),
      make('tbody', {}, rows))));
}

function example(api, schema) {
  const whole = resolved(api, schema);
  if (whole.examples?.length) return whole.examples[0];
  if (!whole.properties) return null;
  return Object.fromEntries(Object.entries(whole.properties).map(([name, property]) => [name, property.examples?.[0] ?? property.default ?? null]));
}

/** A form that asks the address and shows what came. */
function trial(api, method, path, operation) {
  const fields = (operation.parameters ?? []).map((parameter) => {
    const schema = parameter.schema ?? {};
    const given = parameter.in === 'path' ? (schema.examples?.[0] ?? parameter.examples?.[0] ?? '') : '';
    const choices = schema.enum;
    const input = choices
      ? make('select', { name: parameter.name }, ...choices.map((choice) => make('option', { selected: choice === schema.default }, choice)))
      : make('input', { name: parameter.name, value: given, required: parameter.required === true, placeholder: String(schema.examples?.[0] ?? ''), autocomplete: 'off' });
    return { ...parameter, input };
  });
  const content = operation.requestBody?.content ?? {};
  const json = content['application/json'];
  const upload = content['multipart/form-data'];
  const body = json ? make('textarea', { spellcheck: false, value: JSON.stringify(example(api, json.schema), null, 2) }) : null;
  const parts = Object.entries(upload ? resolved(api, upload.schema).properties : {}).map(([name, property]) => {
    const isFile = property.format === 'binary' || property.contentMediaType !== undefined;
    return { name, input: make('input', isFile ? { type: 'file', required: true } : { value: property.examples?.[0] ?? '', required: true }) };
  });
  const outcome = make('div', { role: 'status' });
  const form = make('form', {},
    ...fields.map((field) => make('label', {}, make('code', {}, field.name), field.required ? '' : make('span', { className: 'quiet' }, ' optional'), field.input)),
    ...parts.map((part) => make('label', {}, make('code', {}, part.name), part.input)),
    body ? make('label', {}, 'body', body) : null,
    make('button', { type: 'submit' }, `Send ${method.toUpperCase()}`),
    outcome);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });

  async function send() {
    let address = path;
    const query = new URLSearchParams();
    for (const { name, in: place, input } of fields) {
      if (place === 'path') address = address.replace(`{${name}}`, encodeURIComponent(input.value));
      else if (place === 'query' && input.value !== '') query.set(name, input.value);
    }
    const target = query.size ? `${address}?${query}` : address;
    const headers = {};
    const key = document.getElementById('key').value;
    if (key) headers['X-API-Key'] = key;
    let payload;
    if (body) {
      headers['Content-Type'] = 'application/json';
      payload = body.value;
    } else if (parts.length) {
      payload = new FormData();
      for (const { name, input } of parts) payload.set(name, input.files?.[0] ?? input.value);
    }
    outcome.replaceChildren(make('p', { className: 'quiet' }, 'Waiting…'));
    try {
      const answer = await fetch(target, { method: method.toUpperCase(), headers, body: payload });
      const text = await answer.text();
      outcome.replaceChildren(
        make('p', {}, make('code', {}, target), ` answered ${answer.status} ${answer.statusText}`),
        make('pre', { tabIndex: 0 }, shown(text, answer.headers.get('content-type') ?? '')));
    } catch (error) {
      outcome.replaceChildren(make('p', {}, `The server did not answer: ${error.message}.`));
    }
  }

  return form;
}

function shown(text, type) {
  let whole = text;
  if (type.includes('json')) {
    try {
      whole = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      whole = text; // it is shown as it came
    }
  }
  return whole.length > LONGEST_SHOWN ? `${whole.slice(0, LONGEST_SHOWN)}\n… and ${whole.length - LONGEST_SHOWN} characters more` : whole;
}

function answers(api, operation) {
  return Object.entries(operation.responses).map(([status, response]) => {
    const contents = Object.entries(response.content ?? {});
    const isProblem = contents.some(([type]) => type.includes('problem'));
    return make('details', { open: status === '200' },
      make('summary', {}, make('code', {}, status), ' ', ...prose(response.description)),
      ...contents.map(([type, content]) => make('div', {},
        make('p', { className: 'quiet' }, type),
        isProblem ? make('pre', {}, JSON.stringify(content.example, null, 2)) : properties(api, content.schema),
        !isProblem && content.example ? make('pre', { tabIndex: 0 }, content.example) : null)));
  });
}

function parameters(api, operation) {
  if (!operation.parameters?.length) return [];
  return [make('h3', {}, 'Parameters'), make('div', { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: 'Parameters' }, make('table', {},
    make('thead', {}, make('tr', {}, ...['name', 'type', 'meaning'].map((title) => make('th', { scope: 'col' }, title)))),
    make('tbody', {}, operation.parameters.map((parameter) => {
      const schema = parameter.schema ?? {};
      const sample = schema.examples?.[0] ?? parameter.examples?.[0];
      return make('tr', {},
        make('td', {}, make('code', {}, parameter.name), make('span', { className: 'quiet' }, parameter.required ? ` in ${parameter.in}` : ' optional')),
        make('td', {}, kind(api, schema)),
        make('td', {}, prose(parameter.description ?? schema.description), limits(schema) ? ` (${limits(schema)})` : null,
          sample === undefined || sample === null ? null : [' For example ', make('code', {}, String(sample)), '.']));
    }))))];
}

function operationOf(api, method, path, operation) {
  const body = operation.requestBody ? Object.values(operation.requestBody.content)[0].schema : null;
  return make('details', { className: 'operation', id: operation.operationId },
    make('summary', {}, make('span', { className: 'method' }, method.toUpperCase()), ' ', make('code', {}, path), ' ', make('span', { className: 'quiet' }, operation.summary)),
    make('div', {},
      make('p', {}, prose(operation.description)),
      parameters(api, operation),
      body ? [make('h3', {}, 'Body'), properties(api, body)] : null,
      make('h3', {}, 'Answers'), answers(api, operation),
      make('h3', {}, 'Try it'), trial(api, method, path, operation)));
}

async function draw() {
  const place = document.getElementById('operations');
  try {
    const answer = await fetch('/openapi.json');
    if (!answer.ok) throw new Error(`/openapi.json answered ${answer.status}`);
    const api = await answer.json();
    document.title = `${api.info.title} API ${api.info.version}`;
    document.getElementById('openapi').textContent = api.openapi;
    const groups = new Map();
    for (const [path, operations] of Object.entries(api.paths)) {
      for (const method of METHODS.filter((each) => operations[each])) {
        const group = operations[method].tags?.[0] ?? 'other';
        groups.set(group, [...(groups.get(group) ?? []), operationOf(api, method, path, operations[method])]);
      }
    }
    document.getElementById('contents').replaceChildren(make('ul', {}, ...[...groups.keys()].map((name) => make('li', {}, make('a', { href: `#${name}` }, name)))));
    place.replaceChildren(...[...groups].flatMap(([name, entries]) => [make('h2', { id: name }, name), ...entries]));
    place.removeAttribute('aria-live');
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (named) {
      named.open = true;
      named.scrollIntoView();
    }
  } catch (error) {
    place.replaceChildren(make('p', {}, `The description cannot be read: ${error.message}. `, make('a', { href: '/openapi.json' }, '/openapi.json')));
  }
}

void draw();
