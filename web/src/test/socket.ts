/** A WebSocket without a network: a test says what the server does. */
export class FakeSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 3;
  /** Every one that was made, oldest first. */
  static made: FakeSocket[] = [];

  readyState: number = FakeSocket.CONNECTING;
  sent: unknown[] = [];

  constructor(readonly url = '') {
    super();
    FakeSocket.made.push(this);
  }

  static get last(): FakeSocket {
    const found = FakeSocket.made.at(-1);
    if (!found) throw new Error('no line was opened');
    return found;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.readyState = FakeSocket.CLOSED;
    this.dispatchEvent(new Event('close'));
  }

  /** The server takes the line, and what is asked on it. */
  accept(): void {
    this.readyState = FakeSocket.OPEN;
    this.dispatchEvent(new Event('open'));
    this.say({ type: 'subscribed', id: null, channels: [], sites: ['flat'] });
  }

  say(message: object): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }));
  }
}
