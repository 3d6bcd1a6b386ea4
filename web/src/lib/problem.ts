/** Problems as the API writes them (RFC 9457), and the two the API cannot write because it was not reached. */
import { noteAnswer } from '@/lib/offline';
import { sentence } from '@/lib/words';

export class ApiProblem extends Error {
  override name = 'ApiProblem';

  constructor(
    readonly title: string,
    readonly detail: string,
    readonly remedy: string | null,
    readonly status: number | null,
    /** What of the question is to blame, and its value, where the server names them. */
    readonly field: string | null = null,
    readonly value: string | null = null,
  ) {
    super(`${title}: ${detail}`);
  }

  /** What is wrong with the field, as it is said beside it. */
  get reason(): string {
    if (this.field === null || !this.detail.startsWith(`${this.field} = `)) return this.detail;
    const afterValue = this.value === null ? 0 : this.detail.indexOf(this.value) + this.value.length;
    const at = this.detail.indexOf(': ', Math.max(afterValue, 0));
    return at < 0 ? this.detail : sentence(this.detail.slice(at + 2));
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Reads a problem body; anything else becomes a problem that says what came instead. */
export function toProblem(body: unknown, status: number | null): ApiProblem {
  if (status === null) {
    // The service worker would have answered with what was kept, had there been anything.
    const nothingIsKept = typeof navigator !== 'undefined' && Boolean(navigator.serviceWorker?.controller);
    const detail = nothingIsKept ? 'The server could not be reached, and this was never loaded here before.' : 'The server could not be reached.';
    return new ApiProblem('Watthour does not answer', detail, 'Check that `watthour up` is running.', null);
  }
  const problem: Record<string, unknown> = typeof body === 'object' && body !== null ? { ...body } : {};
  return new ApiProblem(
    text(problem['title']) ?? `The server answered ${status}`,
    text(problem['detail']) ?? 'No reason was given.',
    text(problem['remedy']) ?? (status >= 500 ? 'Look at the log of `watthour up`, then try again.' : null),
    status,
    text(problem['field']),
    text(problem['value']),
  );
}

interface Answer<T> {
  data?: T | undefined;
  error?: unknown;
  request?: Request | undefined;
  response?: Response | undefined;
}

/** The data of an answer of the generated client, or its problem thrown. */
export async function unwrap<T>(asking: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await asking;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw toProblem(null, null);
  }
  if (answer.request && answer.response) noteAnswer(answer.request.url, answer.response);
  if (answer.data !== undefined && answer.response?.ok !== false) return answer.data;
  throw toProblem(answer.error, answer.response?.status ?? null);
}
